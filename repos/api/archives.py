"""/archive/{ref}.zip and .tar.gz, streamed."""

from __future__ import annotations

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.views import APIView

from repos import archives
from repos.api import gate


class Archive(APIView):
    """The files of any ref; a byte route, so outside of the API's throttle."""

    answers = {"get": {200: OpenApiTypes.BINARY}}
    throttle_classes = []

    def get(self, request: Request, owner: str, name: str, rest: str) -> HttpResponseBase:
        repository = gate.repository_for(request, owner, name)
        return archives.response(repository, rest, body=request.method == "GET")
