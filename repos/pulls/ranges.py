"""What changed between two versions of a pull request, e.g. since somebody reviewed it.

The question is what its author changed, not what the base brought meanwhile. So the old version is merged with the
new version's base, in a quarantine, and compared with the new version: an ordinary diff of files that a rebase alone
leaves empty. A new version that went back to an older base is merged with that of the old one instead. Where that
merge has conflicts both versions are compared as they are, and the page says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.accounts.actor import Actor
from hub.lib.errors import NotFound
from repos import cache, diffs, difftable
from repos.diffs import Options, ShownDiff
from repos.git import cli, commands, diff, merge, rangediff
from repos.git.commands import GitTimeout
from repos.git.rangediff import Pair
from repos.models import Repository
from repos.place import store_of
from repos.pulls import branches
from repos.pulls.models import PullRequest
from repos.storage import store

MERGE_SECONDS = 5
MOST_VERSIONS = 500
PUSHES = ("pushed", "forced")
SILENT = (*PUSHES, "head_deleted")  # what a person does without looking at anything


@dataclass(frozen=True)
class Version:
    """One state of the branch. number counts from 1. pushed: None for the one it was opened with. entry: of the
    conversation, which says that it was pushed."""

    number: int
    commit: str
    pushed: datetime | None = None
    forced: bool = False
    by: str = ""
    entry: int = 0


@dataclass(frozen=True)
class Range:
    """diff: from the old version to the new one. rebased: the base of both differs, and what it brought is left out;
    mixed: it could not be left out. commits: None where they are too many to be compared."""

    diff: ShownDiff
    rebased: bool
    mixed: bool
    commits: list[Pair] | None


def versions(pull: PullRequest) -> list[Version]:
    """Oldest first; of very many the newest."""
    rows = pull.issue.entries.filter(kind__in=PUSHES).select_related("author").order_by("-pk")[:MOST_VERSIONS]
    entries = list(reversed(rows))
    first = entries[0].detail["old"] if entries else pull.head_id
    found = [Version(1, first)]
    for number, entry in enumerate(entries, 2):
        by = entry.author.username if entry.author else ""
        forced = entry.kind == "forced"
        found.append(Version(number, entry.detail["new"], entry.created, forced, by, entry.pk))
    return found


def last_seen(actor: Actor, pull: PullRequest, known: list[Version]) -> Version | None:
    """The version of which this actor said something last, when there is a newer one."""
    if actor.user is None:
        return None
    said = pull.issue.entries.filter(author=actor.user).exclude(kind__in=SILENT).order_by("-pk")
    last = said.values_list("pk", flat=True).first()
    if last is None and pull.issue.author_id != actor.user.pk:
        return None
    before = [version for version in known if version.entry < (last or 1)]
    return before[-1] if before and before[-1] != known[-1] else None


def between(pull: PullRequest, old: str, new: str, options: Options) -> Range:
    """old, new: full ids of versions() of this request. Raises NotFound for others, and for commits that are gone."""
    known = {version.commit for version in versions(pull)}
    if not {old, new} <= known:
        raise NotFound(f"These are no two versions of #{pull.number}.", details="Choose two from its list of versions.")
    repository = pull.repository
    base = branches.ends(pull)[0]
    for commit in (old, new):
        if not commands.succeeds(store_of(repository), "cat-file", "-e", commit):
            raise NotFound(f"The version {commit[:10]} is no longer here.")
    starts = branches.parted(repository, base, old), branches.parted(repository, base, new)
    return cache.by_ids(
        repository,
        "pull-range",
        *starts,
        old,
        new,
        options,
        difftable.VERSION,
        make=lambda: _make(repository, starts, old, new, options),
    )


def _make(repository: Repository, starts: tuple[str, str], old: str, new: str, options: Options) -> Range:
    commits = rangediff.pairs(store_of(repository), (starts[0], old), (starts[1], new))
    rebased = starts[0] != starts[1]
    found = _without_base(repository, starts, old, new, options) if rebased else None
    if found is not None:
        return Range(found, rebased=True, mixed=False, commits=commits)
    return Range(_compared(repository, old, new, options), rebased=False, mixed=rebased, commits=commits)


def _without_base(
    repository: Repository, starts: tuple[str, str], old: str, new: str, options: Options
) -> ShownDiff | None:
    """None when one version cannot be merged with the other's base, the newer of the two."""
    back = commands.succeeds(store_of(repository), "merge-base", "--is-ancestor", starts[1], starts[0])
    start, late = (starts[0], new) if back else (starts[1], old)
    with store().quarantine(repository.pk) as quarantine:
        extra = quarantine.environment
        try:
            merged = merge.merge_tree(quarantine.repository, start, late, extra=extra, timeout_seconds=MERGE_SECONDS)
        except (GitTimeout, cli.GitError):  # too large, or without a common commit
            return None
        if merged.conflicts:
            return None
        sides = (old, merged.tree) if back else (merged.tree, new)
        found = diff.compare(quarantine.repository, *sides, ignore_space=options.ignore_space, extra=extra)
        return diffs.shown_whole(found, options)


def _compared(repository: Repository, old: str, new: str, options: Options) -> ShownDiff:
    found = diff.compare(store_of(repository), old, new, ignore_space=options.ignore_space)
    return diffs.shown_whole(found, options)
