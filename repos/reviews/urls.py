"""URLs of reviews, below those of their pull request; and what is said about lines, for the page of a file."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…>, <repository:…> and <rest:…>
from repos.reviews.views import lines, markers, panels, verbs

app_name = "reviews"
_REPOSITORY = "<owner:owner>/<repository:name>"
_PULL = f"{_REPOSITORY}/pull/<int:number>"
_REVIEW = f"{_PULL}/review"
_PENDING = f"{_REVIEW}/pending/<int:comment_id>"

urlpatterns: list[URLPattern] = [
    path(f"{_REVIEW}/bar", panels.bar, name="bar"),
    path(f"{_REVIEW}/form", lines.form, name="form"),
    path(f"{_REVIEW}/comment", lines.comment, name="comment"),
    path(f"{_REVIEW}/add", lines.add, name="add"),
    path(f"{_PENDING}/change", lines.change, name="change"),
    path(f"{_PENDING}/remove", lines.remove, name="remove"),
    path(f"{_REVIEW}/submit", verbs.submit, name="submit"),
    path(f"{_REVIEW}/discard", verbs.discard, name="discard"),
    path(f"{_REVIEW}/apply", verbs.apply, name="apply"),
    path(f"{_PULL}/reviews/<int:review_id>/dismiss", verbs.dismiss, name="dismiss"),
    path(f"{_REPOSITORY}/line-threads/<rest:rest>", markers.markers, name="markers"),
]
