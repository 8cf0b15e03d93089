"""Can these two commits be merged, and into what? New objects lie in a quarantine until they are wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.lib.errors import Busy
from repos.git import merge, read, writing
from repos.git.commands import GitTimeout
from repos.git.merge import Conflict, Merge
from repos.git.read import shown
from repos.git.store import Quarantine
from repos.git.writing import EXECUTABLE, FILE, TreeFile
from repos.models import Repository
from repos.pulls import branches, drivers
from repos.pulls.drivers import Beat, Driver, Outcome, Sides, unwatched

NOT_PUSHED = "what it names was never pushed here"
MOST_FILE_BYTES = 64 * 1024**2  # of each side of a file that a driver merges
MOST_SHOWN = 200
_WORDS = {
    "contents": "both sides changed the same lines",
    "binary": "both sides changed a file that is no text",
    "modify/delete": "one side changed it, the other removed it",
    "rename/delete": "one side renamed it, the other removed it",
    "rename/rename": "both sides renamed it",
    "file/directory": "a file on one side, a folder on the other",
    "distinct modes": "a file on one side, something else on the other",
    "submodule": "both sides moved a submodule",
}


@dataclass(frozen=True)
class Trouble:
    """One file that cannot be merged. where: places inside of it. missing, command: what must be pushed first."""

    path: str
    why: str
    where: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class Verdict:
    """tree: of the merge, "" when there is trouble. merged: files that a driver has put together. notes: of drivers."""

    tree: str
    troubles: tuple[Trouble, ...] = ()
    merged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not self.troubles

    @property
    def missing(self) -> bool:
        return any(trouble.missing for trouble in self.troubles)

    def without_places(self) -> Verdict:
        """For who may not read the data: places say what both sides have there."""
        return replace(self, troubles=tuple(replace(trouble, where=()) for trouble in self.troubles))


def with_missing(
    repository: Repository, found: Verdict, base: str, head: str, *, lender: Repository | None = None
) -> Verdict:
    """The verdict, with what the head names and nobody has pushed: asked anew each time, since pushes mend it. lender:
    a fork that would lend what it has."""
    told = {trouble.path for trouble in found.troubles}
    asked = drivers.missing(repository, branches.parted(repository, base, head), head, lender=lender)
    lost = [each for each in asked if each.path not in told]
    if not lost:
        return found
    troubles = tuple(Trouble(each.path, NOT_PUSHED, missing=each.names, command=each.command) for each in lost)
    return replace(found, tree="", troubles=(*found.troubles, *troubles)[:MOST_SHOWN])


def merged(
    repository: Repository,
    quarantine: Quarantine,
    base: str,
    head: str,
    *,
    keep: bool,
    beat: Beat = unwatched,
    lender: Repository | None = None,
) -> Verdict:
    """The merge of two commits, its new objects in the quarantine. keep: what drivers make is stored for good. beat:
    told (done, all) before each conflict that a driver may take long for. lender: a fork that would lend its data.

    Raises Busy when git needs too long.
    """
    try:
        found = merge.merge_tree(quarantine.repository, base, head, extra=quarantine.environment)
    except GitTimeout as error:
        raise Busy("This merge takes too long.", details="Merge on your machine, then push the result.") from error
    return resolved(repository, quarantine, base, found, keep=keep, beat=beat, lender=lender)


def resolved(
    repository: Repository,
    quarantine: Quarantine,
    base: str,
    found: Merge,
    *,
    keep: bool,
    beat: Beat = unwatched,
    lender: Repository | None = None,
) -> Verdict:
    """What git has found, and what drivers make of its conflicts. beat: told before each of them."""
    if not found.conflicts:
        return Verdict(found.tree)
    outcomes = []
    for number, conflict in enumerate(found.conflicts):
        beat(number, len(found.conflicts))
        outcomes.append((conflict, _driven(repository, quarantine, base, conflict, keep, lender)))
    troubles = tuple(
        _trouble(conflict, outcome) for conflict, outcome in outcomes if outcome is None or outcome.data is None
    )
    notes = tuple(note for _, outcome in outcomes if outcome for note in outcome.notes)
    if troubles:
        return Verdict("", troubles[:MOST_SHOWN], notes=notes)
    with writing.object_store(quarantine.objects) as objects:
        edits: dict[writing.Parts, TreeFile | None] = {}
        for conflict, outcome in outcomes:
            assert outcome
            assert outcome.data is not None
            assert conflict.ours
            edits[_parts(conflict.path)] = replace(conflict.ours, oid=writing.add_blob(objects, outcome.data))
        tree = writing.updated_tree(objects, found.tree, edits)
    return Verdict(tree, merged=tuple(shown(conflict.path) for conflict, _ in outcomes), notes=notes)


def driver_of(conflict: Conflict) -> Driver | None:
    """Who may know more than git: of two plain files."""
    both = conflict.ours and conflict.theirs and {conflict.ours.mode, conflict.theirs.mode} <= {FILE, EXECUTABLE}
    return drivers.driver_for(conflict.path) if both else None


def _driven(
    repository: Repository,
    quarantine: Quarantine,
    commit: str,
    conflict: Conflict,
    keep: bool,
    lender: Repository | None,
) -> Outcome | None:
    """What a driver says; None for what only people can decide."""
    driver = driver_of(conflict)
    if driver is None:
        return None
    assert conflict.ours
    assert conflict.theirs
    oids = [side.oid for side in (conflict.base, conflict.ours, conflict.theirs) if side]
    extra = quarantine.environment  # a commit replayed before this one may have made what is ours now
    sizes = read.blob_sizes(quarantine.repository, oids, extra=extra)
    if any(sizes.get(oid, MOST_FILE_BYTES + 1) > MOST_FILE_BYTES for oid in oids):
        return None
    blobs = dict(read.blobs(quarantine.repository, oids, extra=extra))
    base = blobs[conflict.base.oid] if conflict.base else None
    sides = Sides(commit, conflict.path, base, blobs[conflict.ours.oid], blobs[conflict.theirs.oid], lender)
    return driver.merge(repository, sides, keep=keep)


def _trouble(conflict: Conflict, outcome: Outcome | None) -> Trouble:
    path = shown(conflict.path)
    if outcome is None:
        why = _WORDS.get(conflict.kind, conflict.said or "both sides changed it")
        return Trouble(path, why)
    if outcome.missing:
        return Trouble(path, NOT_PUSHED, missing=outcome.missing[:MOST_SHOWN], command=outcome.command)
    return Trouble(path, "both sides changed the same data", where=outcome.conflicts[:MOST_SHOWN])


def _parts(path: str) -> writing.Parts:
    return tuple(read.to_bytes(path).split(b"/"))
