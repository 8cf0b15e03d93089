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


def better(value: float | None, base: float | None, direction: str) -> bool | None:
    """None where nobody knows, and for what is the same."""
    more = delta(value, base)
    return {MIN: more < 0, MAX: more > 0}.get(direction) if more else None


def html(value: float | None, base: float | None, direction: str = "", *, said: bool = False) -> str:
    """direction: which way the metric gets better, "" if nobody knows. said: in a word, too."""
    more = delta(value, base)
    if more is None:
        return ""
    good = better(value, base, direction)
    look = {None: "", True: " delta-good", False: " delta-bad"}[good]
    word = {None: "" if more else " the same", True: " better", False: " worse"}[good] if said else ""
    return f' <span class="delta{look}{" delta-said" if word else ""}">{signed(more)}{word}</span>'
