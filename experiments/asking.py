"""What an address asks of the table of runs: q, sort, columns, experiment, after or before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.http import QueryDict

from experiments import listing
from experiments.filters.parser import parse

_COLUMN = re.compile(r"(metrics|params|tags)\.[^\0]")
MAX_NAME_CHARACTERS = 250


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
    """Of columns=a,b (or column=a&column=b, as older links say it), each once; None when nobody named any."""
    if "columns" not in given and "column" not in given:
        return None
    named: Sequence[str] = [*",".join(given.getlist("columns")).split(","), *given.getlist("column")]
    return tuple(dict.fromkeys(name[: MAX_NAME_CHARACTERS + 8] for name in named if _COLUMN.match(name)))


def run_ids(given: QueryDict) -> list[str]:
    """Ids are letters and digits; anything else is no run of anybody's."""
    return [one for one in dict.fromkeys(given.getlist("run")) if one.isalnum() and one.isascii() and len(one) <= 36]


def name(given: QueryDict) -> str:
    """What a name of a metric, param or tag shall hold."""
    return given.get("name", "").strip()[:MAX_NAME_CHARACTERS].replace("\0", "")
