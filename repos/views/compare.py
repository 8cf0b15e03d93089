"""What one rev has that another has not."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos import browsing, cache, diffs
from repos.git import history, read
from repos.git.history import Commit
from repos.git.read import Rev
from repos.models import Repository
from repos.place import Place, resolve, store_of, url
from repos.statuses.marks import marks_of
from repos.views.commit import options_of
from repos.views.places import home_of, readable, rest_of

COMMITS_SHOWN = 100


@require_safe
def choose(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """A form that names two revs; with both given, on to their comparison."""
    place = home_of(readable(request, owner, name))
    base, head = request.GET.get("base", "").strip(), request.GET.get("head", "").strip()
    if base and head:
        return HttpResponseRedirect(url(place.repository, "compare", f"{base}...{head}"))
    return render(request, "repos/compare.html", {**_choices(place), "base_name": base or place.rev_shown})


@require_safe
def compare(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """base...head: from where they parted; base..head: straight between the two."""
    repository = readable(request, owner, name)
    named = rest_of(request)
    dots = "..." if "..." in named else ".."
    base_name, _, head_name = named.partition(dots)
    base, head = resolve(repository, base_name), resolve(repository, head_name)
    start = _merge_base(repository, base.commit, head.commit) if dots == "..." else base.commit
    page = history.log(store_of(repository), head.commit, without=base.commit, limit=COMMITS_SHOWN)
    options = options_of(request)
    context = {
        "base_name": read.shown(base_name),
        "head_name": read.shown(head_name),
        "related": start is not None,
        "start": start,
        "commits": page.commits,
        "marks": marks_of(repository, [commit.sha for commit in page.commits]),
        "more_commits": bool(page.after),
        "diff": diffs.between(repository, start, head.commit, options) if start else None,
        "options": options,
        "propose": title_of(head, page.commits) if _proposable(request, base, head) and start else "",
        "swap_url": url(repository, "compare", f"{head_name}...{base_name}"),
    }
    return render(request, "repos/compare.html", {**_choices(Place(repository, head)), **context})


def _proposable(request: HubRequest, base: Rev, head: Rev) -> bool:
    """A pull request goes from one branch into another; whoever is signed in may ask."""
    return request.actor.user is not None and base.kind == head.kind == "branch" and base.name != head.name


def title_of(head: Rev, commits: list[Commit]) -> str:
    """What a pull request would be called: its only commit's subject, else its branch; "" when it brings nothing."""
    if len(commits) == 1:
        return commits[0].subject[:256]
    return read.shown(head.name)[:256] if commits else ""


def _choices(place: Place) -> dict[str, object]:
    repository = place.repository
    names = [ref.name for ref in (*browsing.branches(repository)[:200], *browsing.tags(repository)[:100])]
    return {"repository": repository, "tab": "files", "place": place, "names": names}


def _merge_base(repository: Repository, base: str, head: str) -> str | None:
    return cache.by_ids(
        repository, "merge-base", base, head, make=lambda: history.merge_base(store_of(repository), base, head)
    )
