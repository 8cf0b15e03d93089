"""DRF's view of authentication.py: Basic, Bearer, or the session with CSRF."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from hub.accounts.authentication import actor_from_authorization
from hub.lib.errors import Unauthenticated


class ActorAuthentication(SessionAuthentication):
    """Sets request.actor on the Django request underneath, so views and pages read it the same way."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return super().authenticate(request)
        try:
            actor = actor_from_authorization(header, address=request.META.get("REMOTE_ADDR", ""))
        except Unauthenticated as error:
            raise AuthenticationFailed(error.message) from error
        request._request.actor = actor  # type: ignore[attr-defined]  # what makes it a HubRequest
        return (actor.user, actor.token_id)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="covey"'  # not Basic: a browser must not open its password box on /api
