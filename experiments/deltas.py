"""How far a value is from a baseline's, and whether that is better."""

from __future__ import annotations

import math

from experiments.directions import MAX, MIN


def delta(value: float | None, base: float | None) -> float | None:
    """How much more than the baseline; None where one of them is absent or not finite."""
    if value is None or base is None or not (math.isfinite(value) and math.isfinite(base)):
        return None
    return value - base


def signed(number: float) -> str:
    """0.25 → +0.25, -1 → −1, 0 → ±0."""
    if number == 0:
        return "±0"
    return f"{'+' if number > 0 else '−'}{abs(number):.4g}"


def html(value: float | None, base: float | None, direction: str = "") -> str:
    """direction: which way the metric gets better, "" if nobody knows."""
    more = delta(value, base)
    if more is None:
        return ""
    better = {MIN: more < 0, MAX: more > 0}.get(direction)
    look = "" if better is None or more == 0 else " delta-good" if better else " delta-bad"
    return f' <span class="delta{look}">{signed(more)}</span>'
