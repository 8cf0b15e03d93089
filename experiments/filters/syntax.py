"""The tree of a filter. Every leaf is true or false of a run, never unknown: what is absent fails a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind = Literal["metrics", "params", "tags", "datasets", "attributes"]
Value: TypeAlias = str | float


@dataclass(frozen=True)
class Name:
    """What is compared: key is the name of a metric, param or tag, or one of names.ATTRIBUTES."""

    kind: Kind
    key: str


@dataclass(frozen=True)
class Comparison:
    """operator: = != < <= > >= like, not like, ilike, not ilike, ~, !~.

    A number compares a param's or tag's text as a number, if it is one; a str compares texts.
    Times are milliseconds since 1970, durations seconds.
    """

    name: Name
    operator: str
    value: Value


@dataclass(frozen=True)
class Among:
    """name in (…), or present and not in (…)."""

    name: Name
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Absent:
    """name is null."""

    name: Name


@dataclass(frozen=True)
class Not:
    item: Node


@dataclass(frozen=True)
class All:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Any:
    items: tuple[Node, ...]


Node: TypeAlias = Comparison | Among | Absent | Not | All | Any
