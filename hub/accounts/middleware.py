"""request.actor for every Django view."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from hub.accounts.authentication import actor_from_session


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor = SimpleLazyObject(lambda: actor_from_session(request))
        request.actor = actor  # type: ignore[attr-defined]  # what makes it a HubRequest
        return self.get_response(request)
