"""A path at a commit, as threads name it; and what is there by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datasets.tracked.contents import DvcSource
from hub.accounts.actor import Actor, Area
from hub.lib.errors import HubError, NotFound
from repos import access, browsing
from repos.git import read
from repos.git.read import FULL_ID
from repos.issues.models import Thread
from repos.issues.threads import Spot
from repos.models import Repository
from repos.place import Place, split_rev
from repos.pulls import branches
from repos.pulls.models import PullRequest


def place_of(actor: Actor, repository: Repository, spot: Spot) -> Place:
    """Raises NotFound, or Denied when the token reads no data."""
    access.require_scope(actor, Area.DATA, write=False)
    if not FULL_ID.fullmatch(spot.rev):
        raise NotFound("A revision is named by its full commit id here: 40 hexadecimal digits.")
    rev, path = split_rev(repository, f"{spot.rev}/{spot.path}")
    return Place(repository, rev, path)


def places_now(repository: Repository, threads: Sequence[Thread]) -> dict[int, Place]:
    """id of the thread → its path in the branch that it is about by now: of a pull request its head, of an issue the
    default branch. A thread is left out where that is not here. One query for all."""
    pulls = {thread.issue_id: thread.issue for thread in threads if thread.issue.is_pull}
    heads = {}
    for pull in PullRequest.objects.filter(pk__in=pulls) if pulls else ():
        pull.issue = pulls[pull.pk]
        heads[pull.pk] = read.Rev(pull.head, "branch", branches.ends(pull)[1])
    default = browsing.default_rev(repository)
    revs = {thread.pk: heads.get(thread.issue_id, default) for thread in threads}
    return {thread.pk: Place(repository, rev, thread.path) for thread in threads if (rev := revs[thread.pk])}


def versions(places: Iterable[Place]) -> dict[tuple[str, str], str]:
    """(commit, path) → "git:<id>" or "md5:<id>" of the file that is there, as tracked.versions says; "" for none."""
    found: dict[tuple[str, str], str] = {}
    for place in places:
        at = place.commit, place.path
        if at not in found:
            found[at] = _version(place)
    return found


def _version(place: Place) -> str:
    try:
        entry = read.find_entry(place.store, place.commit, place.path)
        if entry is not None:
            return f"git:{entry.oid}" if entry.kind == "file" else ""
        child = DvcSource().find(place.repository, place.commit, place.path)
    except (HubError, KeyError):  # a lost disk, or a commit that is not here any more
        return ""
    return f"md5:{child.oid}" if child and child.oid and not child.is_dir else ""
