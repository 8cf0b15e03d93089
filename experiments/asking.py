"""What an address asks: of the table of runs (q, sort, columns, experiment, after or before), and of a comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.http import QueryDict

from experiments import listing
from experiments.comparison import Question
from experiments.filters.parser import parse
from hub.lib.paging import words_of

_COLUMN = re.compile(r"(metrics|params|tags)\.[^\0]")
MAX_NAME_CHARACTERS = 250
MAX_COLUMNS = 100


def query(workspace: str, given: QueryDict, *, size: int = listing.PAGE_RUNS) -> listing.Query:
    """Raises FilterError. Columns and sort orders that are none are left out."""
    sort = given.get("sort", "-started")
    experiment = given.get("experiment", "")
    after = given.get("after", "")
    return listing.Query(
        workspace=workspace,
        filter=parse(given.get("q", "")),
        sort=sort.removeprefix("-")[: MAX_NAME_CHARACTERS + 8].replace("\0", ""),
        descending=sort.startswith("-"),
        columns=columns(given),
        experiment_id=int(experiment[:9]) if experiment.isdecimal() and experiment.isascii() else None,
        after=after,
        before="" if after else given.get("before", ""),
        size=size,
    )


def columns(given: QueryDict) -> tuple[str, ...] | None:
    """Of columns=a,b (or column=a&column=b, as older links say it), each once; None when nobody named any.

    At most MAX_COLUMNS: a file of all runs holds as many values as runs times columns."""
    if "columns" not in given and "column" not in given:
        return None
    named: Sequence[str] = [*",".join(given.getlist("columns")).split(","), *given.getlist("column")]
    return tuple(dict.fromkeys(name[: MAX_NAME_CHARACTERS + 8] for name in named if _COLUMN.match(name)))[:MAX_COLUMNS]


def question(workspace: str, given: QueryDict) -> Question:
    """Raises Invalid."""
    return Question(
        workspace=workspace,
        run_ids=tuple(run_ids(given)),
        baseline=given.get("baseline", ""),
        differences=given.get("differences") == "1",
        name=words_of(given.get("name", "")),
        charts=tuple(_plain(key) for key in given.getlist("metric")) or None,
    )


def run_ids(given: QueryDict) -> list[str]:
    """Ids are letters and digits; anything else is no run of anybody's."""
    return [one for one in dict.fromkeys(given.getlist("run")) if one.isalnum() and one.isascii() and len(one) <= 36]


def name(given: QueryDict) -> str:
    """What a name of a metric, param or tag shall hold."""
    return _plain(given.get("name", "").strip())


def key(given: QueryDict) -> str:
    """The metric whose curves are wanted."""
    return _plain(given.get("key", ""))


def _plain(text: str) -> str:
    return text[:MAX_NAME_CHARACTERS].replace("\0", "")
