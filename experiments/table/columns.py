"""Columns by their names: `status`, `params.lr`, `metrics.loss`, `metrics.loss:max`.

A metric's own name may end like an aggregate: `metrics.a:max:last` is the last value of the metric "a:max".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

LOGGED_KINDS = ("metrics", "params", "tags")
ATTRIBUTES = {
    "status": "Status", "user": "User", "started": "Started", "duration": "Duration", "experiment": "Experiment",
    "commit": "Commit", "data": "Data", "source": "Source", "ended": "Ended", "id": "Run id",
}  # fmt: skip
# When nobody named any. What was measured is on the first screen; most of what describes a run stands after it.
FIRST_ATTRIBUTES = ("status", "started", "duration")
LAST_ATTRIBUTES = ("commit", "data", "user", "experiment", "source")
AGGREGATES = {"min": "min", "max": "max", "best": "best", "best_step": "step of best"}
KINDS = {"attributes": "Attributes", "metrics": "Metrics", "params": "Parameters", "tags": "Tags"}
_LAST = "last"


@dataclass(frozen=True)
class Column:
    """name: as the address writes it. key: of what was logged, or the attribute. aggregate: one of AGGREGATES or ""."""

    name: str
    kind: str
    key: str
    aggregate: str = ""

    @property
    def label(self) -> str:
        if self.kind == "attributes":
            return ATTRIBUTES[self.key]
        return f"{self.key} ({AGGREGATES[self.aggregate]})" if self.aggregate else self.key


@lru_cache(maxsize=4096)  # asked for every cell of a page
def parse(name: str) -> Column | None:
    """None for what names no column."""
    if name in ATTRIBUTES:
        return Column(name, "attributes", name)
    kind, dot, key = name.partition(".")
    if kind not in LOGGED_KINDS or not dot or not key or "\0" in key:
        return None
    if kind == "metrics":
        plain, colon, aggregate = key.rpartition(":")
        if colon and plain and (aggregate in AGGREGATES or aggregate == _LAST):
            return Column(name, kind, plain, aggregate.removesuffix(_LAST) if aggregate == _LAST else aggregate)
    return Column(name, kind, key)


def parsed(names: Iterable[str]) -> list[Column]:
    return [column for name in names if (column := parse(name))]


def written(kind: str, key: str) -> str:
    """The name of the column of what was logged under a key: of a metric, of its last value."""
    _, colon, end = key.rpartition(":")
    doubtful = kind == "metrics" and colon and (end in AGGREGATES or end == _LAST)
    return f"{kind}.{key}:{_LAST}" if doubtful else f"{kind}.{key}"


def shown(
    named: Sequence[str] | None, common: Sequence[str], *, sources: bool = False, data: bool = False
) -> list[Column]:
    """The columns of a table beside the name of the run. named: of the address; common: chosen for who named none;
    sources: whether there are runs that no client of MLflow logged; data: whether there are some whose commit has data.

    An address that names no attribute means the usual ones; "name" alone means none of them.
    """
    there = {"data": data, "source": sources}
    last = parsed(name for name in LAST_ATTRIBUTES if there.get(name, True))
    if named is None:
        return [*parsed([*FIRST_ATTRIBUTES, *common]), *last]
    found = parsed(named)
    if "name" not in named and not any(column.kind == "attributes" for column in found):
        return [*parsed(FIRST_ATTRIBUTES), *found, *last]
    return found
