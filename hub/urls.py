"""The root of every Django URL. Owner names may not equal any first segment here (names are checked against it)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from hub import sign_in_link
from hub.pages import api, explore, health, home, profile, tokens

handler400 = "hub.lib.failures.bad_request"
handler403 = "hub.lib.failures.forbidden"
handler404 = "hub.lib.failures.not_found"
handler500 = "hub.lib.failures.server_error"
handler429 = "hub.accounts.throttle.too_many_requests"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("api/docs", api.docs, name="api_docs"),
    path("api/internal/trackAnalyticsEvent", api.analytics, name="api_analytics"),
    path("api/v1/", include("hub.api_urls")),
    path("sign-in-link/<int:user_id>/<str:token>", sign_in_link.page, name="sign-in-link"),
    path("explore", explore.explore, name="explore"),
    path("starred", explore.starred, name="starred"),
    path("settings/tokens", tokens.index, name="settings_tokens"),
    path("settings/tokens/create", tokens.create, name="settings_tokens_create"),
    path("settings/tokens/create-pair", tokens.create_pair, name="settings_tokens_create_pair"),
    path("settings/tokens/<int:token_id>/revoke", tokens.revoke, name="settings_tokens_revoke"),
    path("", include("hub.accounts.urls")),
    path("", include("datasets.urls")),
    path("", include("experiments.urls")),
    path("", include("repos.reviews.urls")),
    path("", include("repos.protection.urls")),
    path("", include("repos.forks.urls")),
    path("", include("repos.pulls.urls")),
    path("", include("repos.issues.urls")),
    path("", include("repos.attachments.urls")),
    path("", include("repos.urls")),
    path("<owner:owner>", profile.profile, name="profile"),  # last: it takes every single segment
]
