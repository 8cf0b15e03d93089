"""How pull requests merge data: lists of files in folders, pointers, dvc.lock, and tables whose rows have a key.

Git calls two changes of one pointer a conflict; most of the time they touch other files or other rows. What is left
for people to decide is datasets.pulls.deciding's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import formats, objects, results
from datasets.dvc import keys, merging, pointers
from datasets.dvc.documents import Malformed
from datasets.dvc.foldermerging import merge_folders
from datasets.dvc.manifests import BadManifest
from datasets.dvc.merging import Directory, MergedFile
from datasets.pulls import deciding
from datasets.pulls.work import NotHere, Work, made_in, merge_tables, push
from datasets.threeway import Conflict
from datasets.tracked import lending
from datasets.tracked.presence import presence
from datasets.tracked.tracking import Output, tracked
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.sandbox_job import Limits
from repos.git.read import shown
from repos.models import Repository
from repos.pulls.drivers import Beat, Choice, Choices, Missing, Opened, Outcome, Place, Sides, unwatched

LIMITS = Limits(seconds=25, memory_bytes=3 * 1024**3, disk_bytes=256 * 1024**2)  # somebody waits for the answer
MOST_NAMED = 200


class DataDriver:
    def wants(self, path: str) -> bool:
        return pointers.is_pointer(path) or formats.is_table(path)

    def merge(self, repository: Repository, sides: Sides, *, keep: bool) -> Outcome:
        work = _Alone(repository, sides, keep)
        try:
            return work.pointer() if pointers.is_pointer(sides.path) else work.table()
        except (Malformed, BadManifest) as error:
            return Outcome(None, (f"It cannot be read as DVC's: {error}",))
        except NotHere as error:
            return Outcome(None, missing=(str(error),), command=push(sides.path))

    def open(self, repository: Repository, sides: Sides, *, beat: Beat) -> Opened | None:
        return deciding.opened(repository, sides, beat=beat)

    def places(self, repository: Repository, sides: Sides, opened: Opened, start: int, limit: int) -> list[Place]:
        return deciding.places(repository, opened, start, limit)

    def check(self, repository: Repository, places: list[Place], choices: Mapping[int, Choice]) -> dict[int, str]:
        return deciding.check(places, choices)

    def resolve(self, repository: Repository, sides: Sides, opened: Opened, choices: Choices, *, beat: Beat) -> Outcome:
        return deciding.resolved(repository, sides, opened, choices, beat=beat)

    def missing(
        self, repository: Repository, base: str, head: str, *, lender: Repository | None = None
    ) -> list[Missing]:
        """Of a repository that keeps its data elsewhere nothing is asked."""
        old, new = tracked(repository, base).outputs, tracked(repository, head).outputs
        changed = [output for path, output in new.items() if path not in old or old[path].out != output.out]
        if not changed or not objects.whole(repository.pk, keys.BUCKET).exists():
            return []
        lost = _not_whole(repository, changed)
        if lost and lender:
            lost = _not_whole(lender, lost)
        return [Missing(o.pointer, (f"{shown(o.path)} ({o.out.oid})",), push(o.pointer)) for o in lost[:MOST_NAMED]]

    def lend(
        self, lender: Repository, repository: Repository, wanted: Sequence[str], known: Sequence[str], *, beat: Beat
    ) -> None:
        lending.lend(lender, repository, wanted, known, beat=beat)

    def holds(self, repository: Repository) -> bool:
        return objects.whole(repository.pk, keys.BUCKET).exists()


def _not_whole(repository: Repository, outputs: Sequence[Output]) -> list[Output]:
    return [found.output for found in presence(repository, outputs) if not found.whole and not found.elsewhere]


class _Alone(Work):
    """Without anybody who decides. keep: store what the merged file names."""

    def __init__(self, repository: Repository, sides: Sides, keep: bool) -> None:
        super().__init__(repository, sides)
        self.keep = keep

    def pointer(self) -> Outcome:
        sides = self.sides
        if sides.path.rpartition("/")[2] == "dvc.lock":
            return _outcome(merging.merge_lock(sides.base, sides.ours, sides.theirs))
        return _outcome(
            merging.merge_pointers(
                sides.base, sides.ours, sides.theirs, merge_directory=self.directory, merge_file=self.file
            )
        )

    def directory(self, path: str, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]]:
        """Two lists of the files of a folder."""
        merged = merge_folders(*self.manifests(base, ours, theirs))
        return list(merged.conflicts) or self.directory_of(merged, keep=self.keep)

    def file(self, path: str, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]] | None:
        """Two versions of a table that one pointer tracks."""
        key = self.key_of(self.path_of(path))
        with results.work_folder() as folder:
            inputs = self.tables(folder, base, ours, theirs) if key else None
            if inputs is None:
                return None
            made = _merged_table(inputs, folder, path, key)
            return made if isinstance(made, list) else self.file_of(made, keep=self.keep)

    def table(self) -> Outcome:
        """A table that git keeps."""
        key = self.key_of(self.sides.path)
        with results.work_folder() as folder:
            inputs = self.own_tables(folder) if key else None
            if inputs is None:
                return Outcome(None, ("The lines differ. With a key for this table, Covey merges it row by row.",))
            made = _merged_table(inputs, folder, self.sides.path, key)
            return Outcome(None, _lines(made)) if isinstance(made, list) else Outcome(made.read_bytes())


def _merged_table(inputs: dict[str, Path], folder: Path, path: str, key: Iterable[str]) -> Path | list[Conflict[Any]]:
    """The merged table, or its conflicts; a table that cannot be read is one too."""
    try:
        answer = merge_tables(inputs, folder, path, list(key), limits=LIMITS, beat=unwatched)
    except Unreadable as error:
        return [Conflict(str(error), None, None, None, "unreadable")]
    except Overrun:
        return [Conflict("The table takes too long to be merged here.", None, None, None, "unreadable")]
    if answer["conflicts_total"]:
        return [_cell_conflict(one) for one in answer["conflicts"][:MOST_NAMED]]
    return made_in(folder)


def _cell_conflict(one: dict[str, Any]) -> Conflict[Any]:
    row = ", ".join(f"{name}={value}" for name, value in one["key"].items())
    where = f"row {row}, {one['column']}" if one["column"] else f"row {row}"
    if not one["key"]:
        where = f"the column {one['column']}"
    return Conflict(where, one["base"], one["ours"], one["theirs"])


def _outcome(merged: MergedFile) -> Outcome:
    notes = deciding.notes(merged)
    return (
        Outcome(None, _lines(merged.conflicts), notes=notes) if merged.conflicts else Outcome(merged.data, notes=notes)
    )


def _lines(conflicts: Iterable[Conflict[Any]]) -> tuple[str, ...]:
    """Where, and what each side has of it, a line each."""
    found = []
    for conflict in list(conflicts)[:MOST_NAMED]:
        line = shown(str(conflict.where))
        if all(isinstance(side, str | int | float | None) for side in (conflict.base, conflict.ours, conflict.theirs)):
            sides = [f"{name} {_short(side)}" for name, side in (("base", conflict.ours), ("head", conflict.theirs))]
            line += f": {', '.join(sides)}" if conflict.reason in {"changed", "cell"} else ""
        found.append(line[:500])
    return tuple(found)


def _short(value: object) -> str:
    return "removed it" if value is None else f"has {str(value)[:80]!r}"
