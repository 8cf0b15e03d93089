"""URLs of issues, labels and milestones. A pull request's conversation uses the verbs here too."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.issues.views import bulk, issue, labels, lists, milestones, new, places, saved, talk, threads, ticking, verbs

app_name = "issues"
_REPOSITORY = "<owner:owner>/<repository:name>"
_ISSUES = f"{_REPOSITORY}/issues"
_ISSUE = f"{_ISSUES}/<int:number>"
_COMMENT = f"{_ISSUES}/comments/<int:entry_id>"
_THREAD = f"{_ISSUES}/threads/<int:thread_id>"
_LABELS = f"{_REPOSITORY}/labels"
_MILESTONES = f"{_REPOSITORY}/milestones"

urlpatterns: list[URLPattern] = [
    path(_ISSUES, lists.index, name="index"),
    path(f"{_ISSUES}/bulk/close", bulk.close, name="bulk-close"),
    path(f"{_ISSUES}/bulk/reopen", bulk.reopen, name="bulk-reopen"),
    path(f"{_ISSUES}/bulk/label", bulk.label, name="bulk-label"),
    path(f"{_ISSUES}/bulk/unlabel", bulk.unlabel, name="bulk-unlabel"),
    path(f"{_ISSUES}/bulk/milestone", bulk.milestone, name="bulk-milestone"),
    path(f"{_ISSUES}/bulk/assign", bulk.assign, name="bulk-assign"),
    path(f"{_ISSUES}/bulk/unassign", bulk.unassign, name="bulk-unassign"),
    path(f"{_ISSUES}/searches/save", saved.save, name="save-search"),
    path(f"{_ISSUES}/searches/<int:saved_id>/up", saved.up, name="search-up"),
    path(f"{_ISSUES}/searches/<int:saved_id>/down", saved.down, name="search-down"),
    path(f"{_ISSUES}/searches/<int:saved_id>/remove", saved.remove, name="remove-search"),
    path(f"{_ISSUES}/new", new.new, name="new"),
    path(f"{_ISSUES}/preview", new.preview, name="preview"),
    path(_ISSUE, issue.issue, name="issue"),
    path(f"{_ISSUE}/edit", talk.edit, name="edit"),
    path(f"{_ISSUE}/history", talk.history, name="history"),
    path(f"{_ISSUE}/tick", ticking.tick, name="tick"),
    path(f"{_ISSUE}/comment", talk.comment, name="comment"),
    path(f"{_ISSUE}/close", verbs.close, name="close"),
    path(f"{_ISSUE}/reopen", verbs.reopen, name="reopen"),
    path(f"{_ISSUE}/lock", verbs.lock, name="lock"),
    path(f"{_ISSUE}/unlock", verbs.unlock, name="unlock"),
    path(f"{_ISSUE}/labels", verbs.set_labels, name="set-labels"),
    path(f"{_ISSUE}/assignees", verbs.set_assignees, name="set-assignees"),
    path(f"{_ISSUE}/milestone", verbs.set_milestone, name="set-milestone"),
    path(f"{_COMMENT}/edit", talk.edit_comment, name="edit-comment"),
    path(f"{_COMMENT}/tick", ticking.tick_comment, name="tick-comment"),
    path(f"{_COMMENT}/remove", talk.remove_comment, name="remove-comment"),
    path(f"{_COMMENT}/history", talk.comment_history, name="comment-history"),
    path(f"{_ISSUES}/threads", places.at_place, name="at-place"),
    path(f"{_ISSUES}/threads/begin", threads.begin, name="begin-thread"),
    path(_THREAD, threads.thread, name="thread"),
    path(f"{_THREAD}/reply", threads.reply, name="reply"),
    path(f"{_THREAD}/resolve", threads.resolve, name="resolve"),
    path(f"{_THREAD}/unresolve", threads.unresolve, name="unresolve"),
    path(_LABELS, labels.page, name="labels"),
    path(f"{_LABELS}/create", labels.create, name="create-label"),
    path(f"{_LABELS}/suggest", labels.suggest, name="suggest-labels"),
    path(f"{_LABELS}/<int:label_id>/change", labels.change, name="change-label"),
    path(f"{_LABELS}/<int:label_id>/remove", labels.remove, name="remove-label"),
    path(_MILESTONES, milestones.page, name="milestones"),
    path(f"{_MILESTONES}/new", milestones.new, name="new-milestone"),
    path(f"{_MILESTONES}/<int:number>/edit", milestones.edit, name="edit-milestone"),
    path(f"{_MILESTONES}/<int:number>/close", milestones.close, name="close-milestone"),
    path(f"{_MILESTONES}/<int:number>/reopen", milestones.reopen, name="reopen-milestone"),
    path(f"{_MILESTONES}/<int:number>/remove", milestones.remove, name="remove-milestone"),
]
