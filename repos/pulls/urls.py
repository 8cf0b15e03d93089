"""URLs of pull requests. The verbs of their conversations are those of issues."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.pulls.conflicts.views import pages as conflicts
from repos.pulls.conflicts.views import verbs as choices
from repos.pulls.views import files, merge_box, pages, ranges, settings, summary, verbs

app_name = "pulls"
_REPOSITORY = "<owner:owner>/<repository:name>"
_PULL = f"{_REPOSITORY}/pull/<int:number>"

urlpatterns: list[URLPattern] = [
    path(f"{_REPOSITORY}/pulls", pages.index, name="index"),
    path(f"{_REPOSITORY}/pulls/bulk/reopen", verbs.bulk_reopen, name="bulk-reopen"),
    path(f"{_REPOSITORY}/pulls/create", verbs.create, name="create"),
    path(_PULL, pages.conversation, name="pull"),
    path(f"{_PULL}/summary", summary.summary, name="summary"),
    path(f"{_REPOSITORY}/settings/pull-requests", settings.page, name="settings"),
    path(f"{_PULL}/commits", pages.commits, name="commits"),
    path(f"{_PULL}/files", files.files, name="files"),
    path(f"{_PULL}/files/tree", files.tree, name="tree"),
    path(f"{_PULL}/diff/<rest:rest>", files.one, name="file"),
    path(f"{_PULL}/range", ranges.choose, name="range"),
    path(f"{_PULL}/range/<rest:rest>", ranges.between, name="range-between"),
    path(f"{_PULL}/viewed", files.mark, {"viewed": True}, name="viewed"),
    path(f"{_PULL}/unviewed", files.mark, {"viewed": False}, name="unviewed"),
    path(f"{_PULL}.diff", files.text, name="text"),
    path(f"{_PULL}/data", pages.panel, {"which": "data"}, name="data"),
    path(f"{_PULL}/experiments", pages.panel, {"which": "experiments"}, name="experiments"),
    path(f"{_PULL}/notebooks", files.notebooks, name="notebooks"),
    path(f"{_PULL}/pipelines", pages.panel, {"which": "pipelines"}, name="pipelines"),
    path(f"{_PULL}/conflicts", conflicts.index, name="conflicts"),
    path(f"{_PULL}/conflicts/resolve", choices.resolve, name="resolve"),
    path(f"{_PULL}/conflicts/<slug:digest>", conflicts.file, name="conflict"),
    path(f"{_PULL}/conflicts/<slug:digest>/choose", choices.choose, name="choose"),
    path(f"{_PULL}/conflicts/<slug:digest>/choose-all", choices.choose_all, name="choose-all"),
    path(f"{_PULL}/merge-box", merge_box.merge_box, name="merge-box"),
    path(f"{_PULL}/merge", verbs.merge, name="merge"),
    path(f"{_PULL}/reopen", verbs.reopen, name="reopen"),
    path(f"{_PULL}/revert", verbs.revert, name="revert"),
    path(f"{_PULL}/update-branch", verbs.update_branch, name="update-branch"),
    path(f"{_PULL}/ready", verbs.ready, name="ready"),
    path(f"{_PULL}/draft", verbs.to_draft, name="draft"),
    path(f"{_PULL}/base", verbs.change_base, name="base"),
    path(f"{_PULL}/delete-branch", verbs.delete_branch, name="delete-branch"),
    path(f"{_PULL}/restore-branch", verbs.restore_branch, name="restore-branch"),
]
