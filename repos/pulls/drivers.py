"""Who can merge what git cannot: upper apps register drivers for files whose form they know, e.g. DVC's pointers.

What a driver cannot decide either it takes apart into places (a file of a folder, a cell of a table) for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from repos.models import Repository

Beat = Callable[[int, int | None], None]


def unwatched(_done: int, _total: int | None) -> None:
    """A Beat for what somebody waits for."""


SIDES = ("ours", "theirs", "base")


@dataclass(frozen=True)
class Sides:
    """Three versions of one file. base None: both sides added it. ours: the branch that is merged into. commit: the
    tip of the pull request's base, which says what holds for both. lender: a fork, where what theirs names may lie."""

    commit: str
    path: str
    base: bytes | None
    ours: bytes
    theirs: bytes
    lender: Repository | None = None


@dataclass(frozen=True)
class Outcome:
    """data: the merged file, None when it cannot be. conflicts: where, one line each. missing: names of what must be
    pushed first, with the command that does. notes: what people should know of a merge that went well."""

    data: bytes | None
    conflicts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    command: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Missing:
    """What a file at the head names and nobody has pushed. names: some of it. command: pushes it."""

    path: str
    names: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class Opened:
    """What people must decide in one file. total: places, 0 when the driver needs nobody. digest: changes with what
    the numbers of its places mean. stored: they show what the storage of data holds, and git does not. facts: the
    driver's own, as JSON. missing, command: what must be pushed first."""

    total: int
    digest: str
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    command: str = ""
    stored: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """One thing that only a person can decide. number: from 0, in the order of the file. kind: lines, cell, row,
    column, file, object, stage or value. where: in words.

    base, ours, theirs: what each side has, as text or {name: text}; None when it is not there. may: the words that
    decide it (SIDES, both, both-theirs-first, remove, value). type: of a value that is typed. suggested: the text that
    goes with "both" or "value" unless another is given. path: of the file or object, "" for a part of one. before,
    after: lines around, where there are any.
    """

    number: int
    kind: str
    where: str
    base: Any
    ours: Any
    theirs: Any
    may: tuple[str, ...]
    type: str = ""
    suggested: str = ""
    path: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Choice:
    """word: one of Place.may. text: what was typed, for "value" and (a name) for "both"."""

    word: str
    text: str = ""


@dataclass(frozen=True)
class Choices:
    """Of one file, by the numbers of places; rest: the side for all others, "" for none."""

    places: Mapping[int, Choice] = field(default_factory=dict)
    rest: str = ""

    def of(self, number: int) -> Choice | None:
        return self.places.get(number) or (Choice(self.rest) if self.rest else None)

    def undecided(self, total: int) -> int:
        return 0 if self.rest else total - sum(number < total for number in self.places)


class NotKept(Exception):
    """What a driver had made of a file was swept: it has to be opened again."""


class Unfit(ValueError):
    """A choice that cannot be made. number: of its place, None when it is the file as a whole."""

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class Driver(Protocol):
    def wants(self, path: str) -> bool: ...

    def merge(self, repository: Repository, sides: Sides, *, keep: bool) -> Outcome:
        """keep: store what the merged file names; else only say what would come out."""
        ...

    def missing(
        self, repository: Repository, base: str, head: str, *, lender: Repository | None = None
    ) -> list[Missing]:
        """Of what changed between two commits: what must be pushed before the head's side is of use to anybody.
        lender: a fork that would lend what it has."""
        ...

    def lend(
        self, lender: Repository, repository: Repository, wanted: Sequence[str], known: Sequence[str], *, beat: Beat
    ) -> None:
        """Let a repository name, of the lender's data, what the commits wanted and those behind them name, without
        known and those behind. All of them are in the repository's git. Nothing is copied. Safe to run twice."""
        ...

    def holds(self, repository: Repository) -> bool:
        """Whether there is anything that lend() could name."""
        ...

    def open(self, repository: Repository, sides: Sides, *, beat: Beat) -> Opened | None:
        """What people must decide. None: it can only be decided as git sees it. May take long: a worker asks."""
        ...

    def places(self, repository: Repository, sides: Sides, opened: Opened, start: int, limit: int) -> list[Place]:
        """A page of them. Raises NotKept."""
        ...

    def check(self, repository: Repository, places: list[Place], choices: Mapping[int, Choice]) -> dict[int, str]:
        """What is wrong with typed texts, by the number of the place. Words are checked by who asks."""
        ...

    def resolve(self, repository: Repository, sides: Sides, opened: Opened, choices: Choices, *, beat: Beat) -> Outcome:
        """The merged file, with what it names stored for good. Choices decide every place. Raises Unfit."""
        ...


_drivers: list[Driver] = []


def register(driver: Driver) -> None:
    _drivers.append(driver)


def driver_for(path: str) -> Driver | None:
    return next((driver for driver in _drivers if driver.wants(path)), None)


def missing(repository: Repository, base: str, head: str, *, lender: Repository | None = None) -> list[Missing]:
    return [found for driver in _drivers for found in driver.missing(repository, base, head, lender=lender)]


def lend(
    lender: Repository, repository: Repository, wanted: Sequence[str], known: Sequence[str], *, beat: Beat
) -> None:
    """What a fork's branches, or a fork's commits that are merged, need of what git does not hold."""
    for driver in _drivers:
        driver.lend(lender, repository, wanted, known, beat=beat)


def hold(repository: Repository) -> bool:
    """Whether a repository has more than git holds."""
    return any(driver.holds(repository) for driver in _drivers)
