"""What people must decide where data is merged, and the merged file that comes of what they chose.

A file is gone through twice, in the same order: first every question is written down (_Recording), a line of JSON each;
later the answers are asked for at the same points (_Deciding). `asked` counts them point by point.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from datasets import objects, results, sandboxed
from datasets.comparing import LIMITS
from datasets.dvc import keys, merging, pointers, yamls
from datasets.dvc.documents import Malformed
from datasets.dvc.foldermerging import Unplaced, merge_folders
from datasets.dvc.manifests import BadManifest
from datasets.dvc.merging import OPEN, Directory, MergedFile
from datasets.merge_work import NotHere, Work, made_in, merge_tables, push
from datasets.tables import places as kept
from datasets.tables.names import PLACES
from datasets.threeway import Conflict
from hub.lib.errors import Busy
from hub.lib.sandbox import Overrun, Unreadable
from repos.git.read import shown
from repos.models import Repository
from repos.pulls.drivers import SIDES, Beat, Choice, Choices, NotKept, Opened, Outcome, Place, Sides, Unfit

TOO_LONG = "Merging this table takes more time or memory than this hub gives to it."
MAX_SHOWN = 4_000  # characters of a record of a stage
_FIELDS = {field.name for field in fields(Place)} - {"number"}


def opened(repository: Repository, sides: Sides, *, beat: Beat) -> Opened | None:
    """None for a table that nobody can take apart, and for what is none of DVC's: it is text then, or a whole."""
    work = _Recording(repository, sides, beat)
    try:
        with results.work_folder() as folder:
            merged = work.go()
            if merged is None:
                return None
            total = kept.write(folder / PLACES, work.places)
            digest = hashlib.sha256((folder / PLACES).read_bytes()).hexdigest()
            results.keep(folder / PLACES, results.places_place(repository.pk, digest))
    except NotHere as error:
        return Opened(0, "", missing=(str(error),), command=push(sides.path))
    except (Malformed, BadManifest, ValueError):
        return None
    return Opened(total, digest, notes=notes(merged), facts={"asked": work.asked})


def places(repository: Repository, opened: Opened, start: int, limit: int) -> list[Place]:
    """Raises NotKept."""
    place = results.places_place(repository.pk, opened.digest)
    if not results.touch(place):
        raise NotKept
    found = [Place(number, **one) for number, one in enumerate(map(_fields, kept.read(place, start, limit)), start)]
    _add_sizes(repository, found)
    return found


def _fields(one: dict[str, Any]) -> dict[str, Any]:
    """As Place takes them. The lines of tables come from the sandbox, which does not know what may be chosen."""
    known = {name: value for name, value in one.items() if name in _FIELDS}
    if "may" not in known:
        words = ["ours", "theirs", *(["base"] if one.get("base") is not None else [])]
        typed = one["kind"] == "cell" and one.get("type")
        known["may"] = (*words, "value") if typed else words
        ours = one.get("ours")
        known["suggested"] = ours if typed and isinstance(ours, str) and not ours.endswith("…") else ""
    return known | {"may": tuple(known["may"])}


def _add_sizes(repository: Repository, found: list[Place]) -> None:
    sides = [side for place in found for side in (place.base, place.ours, place.theirs) if isinstance(side, dict)]
    named = [side for side in sides if "md5" in side]
    sizes = objects.sizes(repository.pk, keys.BUCKET, (keys.key_of(side["md5"]) for side in named))
    for side in named:
        side.setdefault("size", sizes.get(keys.key_of(side["md5"])))


def check(places: list[Place], choices: Mapping[int, Choice]) -> dict[int, str]:
    """What is wrong with typed values and names."""
    wrong = {}
    typed = []
    for place in places:
        choice = choices.get(place.number)
        if choice and choice.word == "both" and not _is_name(choice.text or place.suggested):
            wrong[place.number] = "This is no name for a file inside of the folder."
        if choice and choice.word == "value":
            typed.append((place.number, place.type, choice.text))
    if typed:
        try:
            told = sandboxed.call("typed:wrong", typed=[[type_, text] for _, type_, text in typed])
        except (Overrun, Unreadable):
            told = ["This value could not be checked. Try a shorter one."] * len(typed)
        wrong |= {number: message for (number, _, _), message in zip(typed, told, strict=True) if message}
    return wrong


def _is_name(text: str) -> bool:
    return pointers.clean(text) == text


def resolved(repository: Repository, sides: Sides, opened: Opened, choices: Choices, *, beat: Beat) -> Outcome:
    """Raises Unfit, Busy."""
    work = _Deciding(repository, sides, beat, opened, choices)
    try:
        merged = work.go()
    except NotHere as error:
        return Outcome(None, missing=(str(error),), command=push(sides.path))
    except (Malformed, BadManifest) as error:
        return Outcome(None, (f"It cannot be read as DVC's: {error}",))
    if merged is None or merged.conflicts:
        raise Unfit("What is in conflict is not what you looked at. Choose again.")
    return Outcome(merged.data, notes=notes(merged))


def notes(merged: MergedFile) -> tuple[str, ...]:
    return tuple(
        f"Both sides changed the inputs of the stage {each.where}: run dvc repro after the merge."
        for each in merged.needs_repro
    )


class _Walk(Work):
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


class _Recording(_Walk):
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


class _Deciding(_Walk):
    """Answers what was asked, and stores what is made."""

    keep = True

    def __init__(self, repository: Repository, sides: Sides, beat: Beat, opened: Opened, choices: Choices) -> None:
        super().__init__(repository, sides, beat)
        self.asked, self.choices, self.first = list(opened.facts["asked"]), choices, 0

    def _next(self, what: str) -> range:
        """The numbers of the places asked at this point."""
        if not self.asked or self.asked[0][0] != what:
            raise Unfit("What is in conflict is not what you looked at. Choose again.")
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
            raise Unfit("What is in conflict is not what you looked at. Choose again.")
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
                if path in found or not _is_name(path):
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
