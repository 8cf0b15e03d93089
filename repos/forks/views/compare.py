"""What a fork's branch has that a branch here has not: base...owner:branch. Everything else is the plain comparison."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos import browsing, diffs
from repos.git import copying, history, read
from repos.git.read import Rev
from repos.models import Repository
from repos.place import Place, store_of, url
from repos.pulls import branches, origins
from repos.statuses.marks import marks_of
from repos.views import compare as plain
from repos.views.commit import options_of
from repos.views.places import readable, rest_of


@require_safe
def compare(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    base_name, _, head_name = rest_of(request).partition("...")
    if ":" not in head_name:
        return plain.compare(request, owner, name, rest=rest)
    repository = readable(request, owner, name)
    head = origins.named(request.actor, repository, head_name)
    if head.repository == repository:
        return HttpResponseRedirect(url(repository, "compare", f"{base_name}...{head.branch}"))
    return render(request, "repos/compare.html", _context(request, repository, base_name, head, head_name))


def _context(
    request: HubRequest, repository: Repository, base_name: str, head: origins.Head, head_name: str
) -> dict[str, object]:
    """The commits are read in the fork's store, which this reader may read, beside that of the base."""
    base_id = branches.named_tip(repository, base_name)
    head_id = branches.named_tip(head.repository, head.branch)
    start = origins.merge_base(repository, base_id, head.repository, head_id)
    beside = copying.both(store_of(repository))
    log = history.log(store_of(head.repository), head_id, without=base_id, limit=plain.COMMITS_SHOWN, extra=beside)
    options, place = options_of(request), Place(head.repository, Rev(head.branch, "branch", head_id))
    signed_in = request.actor.user is not None
    return {
        "repository": repository,
        "tab": "files",
        "place": place,
        "names": [ref.name for ref in browsing.branches(repository)[:200]],
        "base_name": read.shown(base_name),
        "head_name": read.shown(head_name),
        "other": True,
        "related": start is not None,
        "start": start,
        "commits": log.commits,
        "marks": marks_of(head.repository, [commit.sha for commit in log.commits]),
        "more_commits": bool(log.after),
        "diff": diffs.between(head.repository, start, head_id, options) if start else None,
        "options": options,
        "propose": plain.title_of(place.rev, log.commits) if signed_in and start else "",
        "warning": origins.warning(repository, head.repository),
    }
