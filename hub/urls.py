"""The root of every Django URL. Owner names may not equal any first segment here (names are checked against it)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from hub import pages, sign_in_link

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("healthz", pages.healthz, name="healthz"),
    path("api/v1/", include("hub.api_urls")),
    path("sign-in-link/<int:user_id>/<str:token>", sign_in_link.page, name="sign-in-link"),
    path("account/", include("allauth.urls")),
    path("", include("repos.urls")),
]
