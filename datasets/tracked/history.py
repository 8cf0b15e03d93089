"""The history of one dataset: the commits that changed it, with what it became."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.models import DatasetChange, DatasetVersion
from datasets.tracked.commits import hash_of
from datasets.tracked.tracking import tracked
from hub.lib.errors import NotFound
from repos.git import history, read
from repos.git.history import Commit
from repos.models import Repository
from repos.place import Place

PER_PAGE = 30


@dataclass(frozen=True)
class Step:
    """One commit. before, version: what the dataset was and became; None where it did not exist."""

    commit: Commit
    before: DatasetVersion | None
    version: DatasetVersion | None

    @property
    def more(self) -> int | None:
        """Rows gained (lost: below 0); None where they are not counted on both sides."""
        counts = [side.rows for side in (self.version, self.before) if side is not None]
        known = [count for count in counts if count is not None and count != DatasetVersion.UNCOUNTABLE]
        return known[0] - known[1] if len(known) == 2 else None

    @property
    def base(self) -> str:
        """The commit it is compared with; "" for the first."""
        return self.commit.parents[0] if self.commit.parents else ""


@dataclass(frozen=True)
class Page:
    """after: the cursor of the next page, "" at the end. unindexed: commits of this page that wait for the index."""

    steps: list[Step]
    after: str
    unindexed: int


def steps(place: Place, *, after: str = "") -> Page:
    """A page of the history of the dataset at a place, newest first. Two queries. Raises NotFound."""
    repository = place.repository
    pointer = _pointer(repository, place)
    found = history.log(place.store, place.commit, path=pointer, after=after, limit=PER_PAGE)
    rows = DatasetChange.objects.filter(
        repository=repository, path_hash=hash_of(place.path), commit__in=[commit.sha for commit in found.commits]
    ).select_related("before", "version")
    known = {row.commit: row for row in rows}
    steps_ = [Step(c, known[c.sha].before, known[c.sha].version) for c in found.commits if c.sha in known]
    indexed = _indexed(repository, [commit.sha for commit in found.commits])
    return Page(steps_, found.after, len(found.commits) - len(indexed))


def _pointer(repository: Repository, place: Place) -> str:
    """The git path whose history it is: of the file that tracks the output, or of the data file itself."""
    output = tracked(repository, place.commit).outputs.get(place.path)
    if output is not None:
        return output.pointer
    entry = read.find_entry(place.store, place.commit, place.path) if place.path else None
    if entry is None or entry.kind != "file":
        raise NotFound(f"There is no dataset '{place.path_shown}' at {place.rev_shown}.")
    return place.path


def _indexed(repository: Repository, commits: list[str]) -> set[str]:
    found = DatasetChange.objects.filter(repository=repository, commit__in=commits)
    return set(found.values_list("commit", flat=True))
