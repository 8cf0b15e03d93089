"""The type of a request as our views see it, after the middleware has set its fields."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from hub.accounts.actor import Actor
from hub.accounts.models import User


class HubRequest(HttpRequest):
    actor: Actor
    id: str
    htmx: HtmxDetails
    user: User  # an AnonymousUser when nobody is signed in; ask request.actor instead
