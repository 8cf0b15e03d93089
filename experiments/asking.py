"""What an address asks: of the table of runs (q, sort, columns, experiment, after or before)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.http import QueryDict

from experiments import listing
from experiments.filters.parser import parse
from experiments.table import hiding, tree
from experiments.table.columns import parse as parse_column
from hub.lib.numbers import LARGEST_NUMBER, whole

MAX_NAME_CHARACTERS = 250
MOST_COLUMN_CHARACTERS = MAX_NAME_CHARACTERS + 20  # with its kind and aggregate
MAX_COLUMNS = 100
MOST_PINNED = 20


def query(
    workspace: str,
    given: QueryDict,
    *,
    size: int = listing.PAGE_RUNS,
    directions: Mapping[str, str] | None = None,
    baseline: str = "",
) -> listing.Query:
    """Raises FilterError. Columns and sort orders that are none are left out. baseline: of the repository, for who
    names none."""
    sort = given.get("sort", "-started")
    experiment = given.get("experiment", "")
    after = given.get("after", "")
    return listing.Query(
        workspace=workspace,
        filter=parse(given.get("q", "")),
        sort=sort.removeprefix("-")[:MOST_COLUMN_CHARACTERS].replace("\0", ""),
        descending=sort.startswith("-"),
        columns=columns(given),
        experiment_id=whole(experiment, most=LARGEST_NUMBER),
        after=after,
        before="" if after else given.get("before", ""),
        size=size,
        directions=directions or {},
        show=given.get("show", "") if given.get("show") in hiding.SHOWN else hiding.LIVE,
        pinned=tuple(ids([given.get("baseline", baseline), *given.getlist("pinned")])[:MOST_PINNED]),
        opened=tuple(ids(given.getlist("open"))[: tree.MOST_OPEN]),
    )


def columns(given: QueryDict) -> tuple[str, ...] | None:
    """Of columns=a,b (or column=a&column=b, as older links say it), each once; None when nobody named any.

    "name" is among them where it was named: every table shows it first.
    At most MAX_COLUMNS: a file of all runs holds as many values as runs times columns."""
    if "columns" not in given and "column" not in given:
        return None
    named: Sequence[str] = [*",".join(given.getlist("columns")).split(","), *given.getlist("column")]
    cut = dict.fromkeys(name[:MOST_COLUMN_CHARACTERS] for name in named)
    return tuple(name for name in cut if name == "name" or parse_column(name))[:MAX_COLUMNS]


def run_ids(given: QueryDict) -> list[str]:
    return ids(given.getlist("run"))


def ids(named: Iterable[str]) -> list[str]:
    """Those that may be ids of runs, each once."""
    return [one for one in dict.fromkeys(named) if is_id(one)]


def is_id(text: str) -> bool:
    """Ids are letters and digits; anything else is no run of anybody's."""
    return text.isalnum() and text.isascii() and len(text) <= 36


def name(given: QueryDict) -> str:
    """What a name of a metric, param or tag shall hold."""
    return plain(given.get("name", "").strip())


def key(given: QueryDict) -> str:
    """The metric whose curves are wanted."""
    return plain(given.get("key", ""))


def plain(text: str) -> str:
    return text[:MAX_NAME_CHARACTERS].replace("\0", "")
