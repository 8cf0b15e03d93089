"""Who can merge what git cannot: upper apps register drivers for files whose form they know, e.g. DVC's pointers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from repos.models import Repository


@dataclass(frozen=True)
class Sides:
    """Three versions of one file. base None: both sides added it. ours: the branch that is merged into, at commit."""

    commit: str
    path: str
    base: bytes | None
    ours: bytes
    theirs: bytes


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


class Driver(Protocol):
    def wants(self, path: str) -> bool: ...

    def merge(self, repository: Repository, sides: Sides, *, keep: bool) -> Outcome:
        """keep: store what the merged file names; else only say what would come out."""
        ...

    def missing(self, repository: Repository, base: str, head: str) -> list[Missing]:
        """Of what changed between two commits: what must be pushed before the head's side is of use to anybody."""
        ...


_drivers: list[Driver] = []


def register(driver: Driver) -> None:
    _drivers.append(driver)


def driver_for(path: str) -> Driver | None:
    return next((driver for driver in _drivers if driver.wants(path)), None)


def missing(repository: Repository, base: str, head: str) -> list[Missing]:
    return [found for driver in _drivers for found in driver.missing(repository, base, head)]
