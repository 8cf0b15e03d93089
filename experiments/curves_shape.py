"""The curves of one metric of several runs, or one band per group of them, as JSON: what a chart draws, and what its
table shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.http import QueryDict

from experiments import asking, colours, history
from experiments.charts import bands, statistics, values
from experiments.charts.picking import Picked, chosen
from hub.lib.errors import Invalid
from hub.lib.numbers import whole

METHODS = {
    "curves": "The mean of each bucket of positions, with its least and greatest value; single values where they fit.",
    "bands": "In each bucket the mean of the runs of a group ± their standard deviation; each run counts once.",
}
MOST_GROUPS = 50


def curves(picked: Picked, given: QueryDict) -> dict[str, Any]:
    """Of these runs, for ?key=, ?axis=, ?from= and ?to=, ?buckets= and ?group=. Raises Invalid."""
    key, axis = asking.key(given), given.get("axis", "")
    if axis and axis not in history.AXES and not axis.startswith("metrics."):
        problem = f"There is no axis {axis[:20]!r}."
        raise Invalid(problem, details=f"Ask for axis={', '.join(history.AXES)} or another metric (metrics.…).")
    most = history.DRAWABLE if axis.startswith("metrics.") else 2.0**53
    how: dict[str, Any] = {"axis": asking.plain(axis), "between": _between(given, most), "buckets": _buckets(given)}
    found = _bands(picked, key, asking.plain(given.get("group", "")), how) if given.get("group") else None
    if found is not None:
        return {"key": key, "axis": found[0]["axis"] if found else axis or "step", "method": METHODS["bands"],
                "curves": found}  # fmt: skip
    named = {row.run_uuid: row.name or row.run_uuid[:8] for row in picked.rows}
    drawn = history.curves(list(named), key, **how)
    return {
        "key": key,
        "axis": drawn[0].axis if drawn else axis or "step",
        "method": METHODS["curves"],
        "curves": [
            {"name": named[one.run_id], "hue": colours.hue(one.run_id), "dash": colours.dash(one.run_id), **asdict(one)}
            for one in drawn
        ],
    }


def _bands(picked: Picked, key: str, column: str, how: Mapping[str, Any]) -> list[dict[str, Any]]:
    if column not in values.ATTRIBUTES and not column.startswith(("params.", "tags.")):
        raise Invalid(
            f"Runs cannot be grouped by {column[:60]!r}.",
            details="Group by params.…, tags.…, user, status or experiment.",
        )
    if how["axis"].startswith("metrics."):
        raise Invalid("Groups are drawn over steps and times only.", details="Ask for axis=step, or for no group.")
    read = values.read(chosen(picked), [column])
    groups: dict[str, list[str]] = {}
    for run_id, value in sorted(zip(read.ids, read.columns[0].values, strict=True), key=lambda pair: str(pair[1])):
        groups.setdefault(statistics.label(value), []).append(run_id)
    if len(groups) > MOST_GROUPS:
        problem = (
            f"These runs have {len(groups)} different values of {column[:60]}; at most {MOST_GROUPS} groups are drawn."
        )
        raise Invalid(problem, details="Group by a column with fewer values.")
    looks = {group: colours.apart(place, len(groups)) for place, group in enumerate(groups)}
    return [
        {"name": one.group, "hue": looks[one.group], "dash": "solid", **asdict(one)}
        for one in bands.bands(groups, key, **how)
    ]


def _buckets(given: QueryDict) -> int:
    text = given.get("buckets", "")
    if not text:
        return history.BUCKETS
    number = whole(text)
    if number is None:
        raise Invalid("buckets must be a whole number.", details=f"At most {history.MOST_BUCKETS} are made.")
    return max(history.LEAST_BUCKETS, min(history.MOST_BUCKETS, number))


def _between(given: QueryDict, most: float) -> tuple[float, float] | None:
    """most: how far from 0 a position may be."""
    if "from" not in given and "to" not in given:
        return None
    first, last = (_position(given.get(name, ""), most) for name in ("from", "to"))
    return first, last


def _position(text: str, most: float) -> float:
    """Raises Invalid."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) < most:
        raise Invalid(f"{text[:20]!r} is no position on the axis.", details="Give from= and to= as numbers.")
    return number
