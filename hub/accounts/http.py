"""A request as our views see it, after the middleware has set its fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Conflict, HubError, Unprocessable


class HubRequest(HttpRequest):
    actor: Actor
    id: str
    htmx: HtmxDetails
    user: User  # an AnonymousUser when nobody is signed in; ask request.actor instead


def require_typed(request: HttpRequest, name: str) -> None:
    """What cannot be undone asks for a name in writing. Raises Unprocessable unless the form's confirm is that name."""
    if request.POST.get("confirm", "").strip() != name:
        raise Unprocessable(f"Type {name} to confirm.")


@contextmanager
def refusals_told(
    request: HttpRequest, refusals: tuple[type[HubError], ...] = (Conflict, Unprocessable)
) -> Iterator[None]:
    """Show on the page that comes next why something could not be done."""
    try:
        yield
    except refusals as error:
        messages.error(request, f"{error.message} {error.details}")
