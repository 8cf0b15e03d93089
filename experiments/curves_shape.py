"""The curves of one metric of several runs as JSON: what a chart draws, and what its table shows."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from django.http import QueryDict

from experiments import asking, colours, comparison, history
from hub.lib.errors import Invalid


def curves(workspace: str, given: QueryDict) -> dict[str, Any]:
    """For ?key=, each ?run= that is in the workspace, ?axis=, ?from= and ?to=. Raises Invalid."""
    key, axis = asking.key(given), given.get("axis", "")
    if axis and axis not in history.AXES:
        raise Invalid(f"There is no axis {axis[:20]!r}.", details=f"Ask for axis={', '.join(history.AXES)}.")
    names = comparison.readable_ids(workspace, asking.run_ids(given))
    found = history.curves(list(names), key, axis=axis, between=_between(given))
    return {
        "key": key,
        "axis": found[0].axis if found else axis or "step",
        "curves": [
            {"name": names[one.run_id], "hue": colours.hue(one.run_id), "dash": colours.dash(one.run_id), **asdict(one)}
            for one in found
        ],
    }


def _between(given: QueryDict) -> tuple[float, float] | None:
    if "from" not in given and "to" not in given:
        return None
    first, last = (_position(given.get(name, "")) for name in ("from", "to"))
    return first, last


def _position(text: str) -> float:
    """Raises Invalid."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) < 2**53:
        raise Invalid(f"{text[:20]!r} is no position on the axis.", details="Give from= and to= as numbers.")
    return number
