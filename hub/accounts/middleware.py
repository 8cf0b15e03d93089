"""request.actor for every Django view."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from hub.accounts.authentication import actor_from_session


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor = SimpleLazyObject(lambda: actor_from_session(request))
        request.actor = actor  # type: ignore[attr-defined]  # what makes it a HubRequest
        response = self.get_response(request)
        # Django says so where a view has looked who asks: for what is private, and not for what is absent.
        patch_vary_headers(response, ["Cookie"])
        return response
