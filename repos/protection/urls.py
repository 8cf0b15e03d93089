"""URLs below a pull request of what its branch's rules ask."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.protection.views import verbs

app_name = "protection"
_PULL = "<owner:owner>/<repository:name>/pull/<int:number>"

urlpatterns: list[URLPattern] = [
    path(f"{_PULL}/reviewers", verbs.reviewers, name="reviewers"),
    path(f"{_PULL}/reviewers/ask", verbs.ask, name="ask-reviewer"),
    path(f"{_PULL}/reviewers/<owner:username>/remove", verbs.unask, name="remove-reviewer"),
    path(f"{_PULL}/checks", verbs.checks, name="checks"),
    path(f"{_PULL}/auto-merge", verbs.auto_merge, name="auto-merge"),
    path(f"{_PULL}/auto-merge/cancel", verbs.cancel_auto_merge, name="cancel-auto-merge"),
]
