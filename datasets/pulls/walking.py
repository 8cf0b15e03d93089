"""A file in conflict gone through twice, in the same order: first every question is written down (Recording), later the
answers are asked for at the same points (Deciding). `asked` counts them, point by point.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datasets import results
from datasets.comparison.comparing import LIMITS
from datasets.dvc import keys, merging, pointers, yamls
from datasets.dvc.foldermerging import Unplaced, merge_folders
from datasets.dvc.merging import OPEN, Directory, MergedFile
from datasets.pulls.work import Work, made_in, merge_tables
from datasets.tables import places as kept
from datasets.tables.names import PLACES
from datasets.threeway import Conflict
from hub.lib.errors import Busy
from hub.lib.sandbox import Overrun, Unreadable
from repos.git.read import shown
from repos.models import Repository
from repos.pulls.drivers import SIDES, Beat, Choice, Choices, Opened, Sides, Unfit

TOO_LONG = "Merging this table takes more time or memory than this hub gives to it."
CHANGED = "What is in conflict is not what you looked at. Choose again."
MAX_SHOWN = 4_000  # characters of a record of a stage


class Walk(Work):
    """One file, place by place."""

    def __init__(self, repository: Repository, sides: Sides, beat: Beat) -> None:
        super().__init__(repository, sides)
        self.beat = beat

    def go(self) -> MergedFile | None:
        sides = self.sides
        if not pointers.is_pointer(sides.path):
            return self._own_table()
        if sides.path.rpartition("/")[2] == "dvc.lock":
            return merging.merge_lock(sides.base, sides.ours, sides.theirs, decide=self.decide)
        return merging.merge_pointers(
            sides.base,
            sides.ours,
            sides.theirs,
            merge_directory=self.directory,
            merge_file=self.file,
            decide=self.decide,
        )

    def _own_table(self) -> MergedFile | None:
        key = self.key_of(self.sides.path)
        with results.work_folder() as folder:
            inputs = self.own_tables(folder) if key else None
            made = self.table(inputs, folder, self.sides.path, key) if inputs else None
            if made is None or isinstance(made, list):
                return None if made is None else MergedFile(b"", made)
            return MergedFile(made.read_bytes())

    def file(self, path: str, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]] | None:
        key = self.key_of(self.path_of(path))
        with results.work_folder() as folder:
            inputs = self.tables(folder, base, ours, theirs) if key else None
            made = self.table(inputs, folder, path, key) if inputs else None
            return self.file_of(made, keep=self.keep) if isinstance(made, Path) else made

    @property
    @abstractmethod
    def keep(self) -> bool:
        """Whether what is made is stored for good."""

    @abstractmethod
    def decide(self, conflict: Conflict[Any], kind: str) -> Any:
        """merging.Decide."""

    @abstractmethod
    def directory(self, path: str, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]]:
        """merging.MergeDirectory."""

    @abstractmethod
    def table(
        self, inputs: dict[str, Path], folder: Path, path: str, key: tuple[str, ...]
    ) -> Path | list[Conflict[Any]] | None:
        """The merged table, what is in conflict, or None when it cannot be taken apart."""


class Recording(Walk):
    """Writes down what is asked. places: of the whole file. asked: what of, and how many places, point by point."""

    keep = False

    def __init__(self, repository: Repository, sides: Sides, beat: Beat) -> None:
        super().__init__(repository, sides, beat)
        self.places: list[dict[str, Any]] = []
        self.asked: list[list[Any]] = []

    def _ask(self, what: str, places: Iterable[dict[str, Any]]) -> None:
        before = len(self.places)
        self.places += places
        if len(self.places) > kept.MOST:
            raise ValueError(f"There are more than {kept.MOST:,} conflicts.")
        self.asked.append([what, len(self.places) - before])

    def decide(self, conflict: Conflict[Any], kind: str) -> Any:
        name = str(conflict.where)
        path = self.path_of(name) if kind == "object" else ""
        where = {"object": path or name, "stage": f"the stage {name}"}.get(kind, f"“{name}”")
        values = {side: getattr(conflict, side) for side in SIDES}
        told = {side: _told(value, kind) for side, value in values.items()}
        self._ask(kind, [{"kind": kind, "where": shown(where), "path": path, "may": _words(values)} | told])
        return OPEN

    def directory(self, path: str, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]]:
        merged = merge_folders(*self.manifests(base, ours, theirs))
        self._ask("folder", (self._of_file(path, conflict) for conflict in merged.conflicts))
        return list(merged.conflicts) or self.directory_of(merged, keep=False)

    def _of_file(self, path: str, conflict: Conflict[str]) -> dict[str, Any]:
        name = str(conflict.where)
        sides = {side: getattr(conflict, side) for side in SIDES}
        both = bool(conflict.ours and conflict.theirs and conflict.ours != conflict.theirs)
        return {
            "kind": "file",
            "where": f"{path}/{name}",
            "path": self.path_of(f"{path}/{name}"),
            "may": [*_words(sides), *(["both"] if both else [])],
            "suggested": _other(name) if both else "",
        } | {side: {"md5": md5} if md5 else None for side, md5 in sides.items()}

    def table(
        self, inputs: dict[str, Path], folder: Path, path: str, key: tuple[str, ...]
    ) -> Path | list[Conflict[Any]] | None:
        try:
            answer = merge_tables(inputs, folder, path, key, limits=LIMITS, beat=self.beat)
        except (Unreadable, Overrun):
            return None
        if not answer["conflicts_total"]:
            self._ask("table", [])
            return made_in(folder)
        inside = f"{path}: " if path != self.sides.path else ""
        found = kept.read(folder / "out" / PLACES)
        self._ask("table", ({**one, "where": f"{inside}{one['where']}"} for one in found))
        return [Conflict(path, None, None, None)]


class Deciding(Walk):
    """Answers what was asked, and stores what is made."""

    keep = True

    def __init__(self, repository: Repository, sides: Sides, beat: Beat, opened: Opened, choices: Choices) -> None:
        super().__init__(repository, sides, beat)
        self.asked, self.choices, self.first = list(opened.facts["asked"]), choices, 0

    def _next(self, what: str) -> range:
        """The numbers of the places asked at this point."""
        if not self.asked or self.asked[0][0] != what:
            raise Unfit(CHANGED)
        _, count = self.asked.pop(0)
        numbers = range(self.first, self.first + count)
        self.first += count
        return numbers

    def _choice(self, number: int) -> Choice:
        choice = self.choices.of(number)
        if choice is None:
            raise Unfit("This place is not decided.", number)
        return choice

    def decide(self, conflict: Conflict[Any], kind: str) -> Any:
        (number,) = self._next(kind)
        return _side(conflict, self._choice(number), number)

    def directory(self, path: str, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]]:
        numbers = self._next("folder")
        try:
            merged = merge_folders(*self.manifests(base, ours, theirs), decide=lambda each: self._files(numbers, each))
        except Unplaced as error:
            raise Unfit(f"{path}: {error} Choose otherwise there.") from error
        return self.directory_of(merged, keep=True)

    def _files(self, numbers: range, conflicts: list[Conflict[str]]) -> dict[str, str]:
        """path → md5, as chosen."""
        if len(numbers) != len(conflicts):
            raise Unfit(CHANGED)
        found: dict[str, str] = {}
        for number, conflict in zip(numbers, conflicts, strict=True):
            name, choice = str(conflict.where), self._choice(number)
            if choice.word == "both":
                wanted = [(name, conflict.ours), (choice.text or _other(name), conflict.theirs)]
            else:
                wanted = [(name, _side(conflict, choice, number))]
            for path, md5 in wanted:
                if not md5:
                    continue
                if path in found or not is_name(path):
                    raise Unfit(f"The name '{path[:200]}' is taken, or none for a file.", number)
                found[path] = md5
        return found

    def table(
        self, inputs: dict[str, Path], folder: Path, path: str, key: tuple[str, ...]
    ) -> Path | list[Conflict[Any]] | None:
        if not self.asked or self.asked[0][0] != "table":
            return None  # it could not be taken apart when it was looked at
        numbers = self._next("table")
        places = {n - numbers.start: [c.word, c.text] for n, c in self.choices.places.items() if n in numbers}
        (folder / "choices").write_text(json.dumps({"rest": self.choices.rest, "places": places}))
        inputs = {**inputs, "choices": folder / "choices"}
        try:
            answer = merge_tables(inputs, folder, path, key, limits=LIMITS, beat=self.beat)
        except (Unreadable, Overrun) as error:
            raise Busy(TOO_LONG, details="Try again when less is going on, or take one side of it.") from error
        if "undecided" in answer:
            raise Unfit(answer["why"], numbers.start + answer["undecided"])
        return made_in(folder)


def _side(conflict: Conflict[Any], choice: Choice, number: int) -> Any:
    if choice.word not in SIDES:
        raise Unfit(f"'{choice.word}' decides nothing here.", number)
    return getattr(conflict, choice.word)


def _other(name: str) -> str:
    """The name of the second of two files that are both kept."""
    stem, dot, extension = name.rpartition(".")
    return f"{stem}-other.{extension}" if dot and stem and "/" not in extension else f"{name}-other"


def _words(sides: Mapping[str, Any]) -> list[str]:
    """base only where it is another answer."""
    return ["ours", "theirs", *(["base"] if sides["base"] is not None else [])]


def _told(value: Any, kind: str) -> Any:
    """A side as people see it: an object by its md5, all else as the file has it."""
    if value is None:
        return None
    if kind == "object" and isinstance(value, Mapping) and keys.is_oid(str(value.get("md5", ""))):
        numbers = {name: value[name] for name in ("size", "nfiles") if isinstance(value.get(name), int)}
        return {"md5": str(value["md5"])} | numbers
    return (value if isinstance(value, str) else yamls.dump(value).decode("utf-8", "replace").removesuffix("...\n"))[
        :MAX_SHOWN
    ]


def is_name(text: str) -> bool:
    """Whether a file inside of a folder may be called so."""
    return pointers.clean(text) == text
