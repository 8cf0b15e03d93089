"""Paths below /api/v1 that belong to reviews."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.reviews.api import comments, reviews

_PULLS = "repos/<owner:owner>/<repository:name>/pulls"
_PULL = f"{_PULLS}/<int:number>"
_REVIEW = f"{_PULL}/reviews/<int:review_id>"
_COMMENT = f"{_PULL}/comments/<int:comment_id>"

urlpatterns: list[URLPattern] = [
    path(f"{_PULL}/reviews", reviews.Reviews.as_view()),
    path(_REVIEW, reviews.OneReview.as_view()),
    path(f"{_REVIEW}/comments", reviews.ReviewComments.as_view()),
    path(f"{_REVIEW}/events", reviews.ReviewEvents.as_view()),
    path(f"{_REVIEW}/dismissals", reviews.Dismissals.as_view()),
    path(f"{_PULL}/comments", comments.LineComments.as_view()),
    path(f"{_PULLS}/comments/<int:comment_id>", comments.OneLineComment.as_view()),
    path(f"{_COMMENT}/replies", comments.Replies.as_view()),
    path(f"{_COMMENT}/resolution", comments.Resolution.as_view()),
    path(f"{_PULL}/suggestions", comments.Suggestions.as_view()),
]
