"""Paths below /api/v1 that belong to issues."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.issues.api import attachments, issues, labels, threads

_REPOSITORY = "repos/<owner:owner>/<repository:name>"
_ISSUE = f"{_REPOSITORY}/issues/<int:number>"

urlpatterns: list[URLPattern] = [
    path(f"{_REPOSITORY}/issues", issues.Issues.as_view()),
    path(f"{_REPOSITORY}/issues/comments/<int:comment_id>", issues.OneComment.as_view()),
    path(f"{_REPOSITORY}/issues/attachments/<slug:token>", attachments.OneAttachment.as_view()),
    path(f"{_REPOSITORY}/issues/threads", threads.PlaceThreads.as_view()),
    path(f"{_REPOSITORY}/issues/threads/<int:thread_id>", threads.OneThread.as_view()),
    path(_ISSUE, issues.OneIssue.as_view()),
    path(f"{_ISSUE}/comments", issues.Comments.as_view()),
    path(f"{_ISSUE}/threads", threads.IssueThreads.as_view()),
    path(f"{_ISSUE}/labels", issues.IssueLabels.as_view()),
    path(f"{_ISSUE}/labels/<rest:label>", issues.OneIssueLabel.as_view()),
    path(f"{_ISSUE}/assignees", issues.IssueAssignees.as_view()),
    path(f"{_ISSUE}/lock", issues.Lock.as_view()),
    path(f"{_REPOSITORY}/labels", labels.Labels.as_view()),
    path(f"{_REPOSITORY}/labels/<rest:label>", labels.OneLabel.as_view()),
    path(f"{_REPOSITORY}/milestones", labels.Milestones.as_view()),
    path(f"{_REPOSITORY}/milestones/<int:number>", labels.OneMilestone.as_view()),
]
