"""/issues/attachments/{id}: remove one. (They are sent to /issues/attachments, whose bytes are a surface's.)"""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from repos.api import gate
from repos.attachments import attaching
from repos.issues.api.asking import taking_part


class OneAttachment(APIView):
    """DELETE removes a file of a text for good: for whoever attached it, and administrators of the repository."""

    def delete(self, request: Request, owner: str, name: str, token: str) -> Response:
        repository = taking_part(request, owner, name)
        attaching.remove(gate.actor_of(request), repository, token)
        return Response(status=204)
