"""/api/v1: the REST API of every app, and an answer in JSON for what is not there."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import hub.lib.converters  # noqa: F401  registers <owner:…>
from hub.accounts import api as accounts
from hub.lib.errors import NotFound


class Nothing(APIView):
    """Any other address, organisations included until they exist."""

    def handle(self, request: Request, **_: str) -> Response:
        raise NotFound("There is nothing at this address.", details="The API is described at /api/docs.")

    get = post = put = patch = delete = handle


urlpatterns: list[URLPattern | URLResolver] = [
    path("openapi.json", SpectacularJSONAPIView.as_view(throttle_classes=[]), name="openapi"),
    path("user", accounts.Me.as_view()),
    path("users/search", accounts.UserSearch.as_view()),
    path("users/<owner:username>", accounts.OneUser.as_view()),
    path("", include("datasets.api.urls")),
    path("", include("experiments.api.urls")),
    path("", include("repos.protection.api.urls")),
    path("", include("repos.reviews.api.urls")),
    path("", include("repos.forks.api.urls")),
    path("", include("repos.pulls.api.urls")),
    path("", include("repos.issues.api.urls")),
    path("", include("repos.api.urls")),
    re_path(r"^.*$", Nothing.as_view(schema=None)),
]
