"""How far the columns of a table moved between two versions, from their sketches alone. Plain Python, milliseconds.

Ranked by effect, with the p-value second: with a million rows everything is "significant". Thresholds, as is usual:
PSI below 0.1 is about the same, from 0.1 it moved, from 0.25 it moved a lot; a share of empty cells that changes by
0.05 counts as moved, by 0.2 as moved a lot. All distances are read from 257 quantiles (a resolution of 0.4 %), or from
the counts of values where a column has few.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

PSI_MOVED, PSI_MUCH = 0.1, 0.25
NULLS_MOVED, NULLS_MUCH = 0.05, 0.2
BINS, BARS = 10, 30
FLOOR = 1e-4  # share of an empty bin: PSI has no value for zero
MAX_CATEGORIES = 20
WORDS = ("about the same", "moved", "moved a lot")
_LABELS = {"label", "labels", "target", "class", "y", "species", "category", "outcome"}


def drift(base: dict[str, Any], head: dict[str, Any], renames: Iterable[Mapping[str, str]] = ()) -> dict[str, Any]:
    """{"verdict", "columns": most moved first, "added", "removed": names, "renamed": those of renames that are here,
    "left_out": how many columns have no sketch}.

    base, head: of sketches.sketch. renames: {"from", "to"} each, as the diff of the rows finds them.
    """
    new = {column["name"]: column for column in head["columns"]}
    old = {column["name"]: column for column in base["columns"]}
    renamed = [pair for pair in renames if pair["from"] in old and pair["to"] in new]
    old |= {pair["to"]: old.pop(pair["from"]) for pair in renamed}
    columns = [_column(old[name], column, base["rows"], head["rows"]) for name, column in new.items() if name in old]
    columns.sort(key=lambda column: (-column["level"], -column["effect"], column["name"]))
    return {
        "verdict": _verdict(columns, base["rows"], head["rows"]),
        "columns": columns,
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "renamed": renamed,
        "left_out": max(base["left_out"], head["left_out"]),
        "rows": {"base": base["rows"], "head": head["rows"]},
    }


def _verdict(columns: list[dict[str, Any]], base: int, head: int) -> str:
    much = [c["name"] for c in columns if c["level"] == 2]
    moved = [c["name"] for c in columns if c["level"] == 1]
    if not columns:
        return "The versions have no column in common."
    parts = [_named(much, "moved a lot"), _named(moved, "moved")]
    said = "; ".join(filter(None, parts)) or "No column moved"
    size = f" There are {abs(head - base):,} {'more' if head > base else 'fewer'} rows." if head != base else ""
    return f"{said}; {len(columns) - len(much) - len(moved)} of {len(columns)} are about the same.{size}"


def _named(names: list[str], what: str) -> str:
    if not names:
        return ""
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{shown} {what}"


def _column(old: dict[str, Any], new: dict[str, Any], base_rows: int, head_rows: int) -> dict[str, Any]:
    nulls = _share(old["nulls"], base_rows), _share(new["nulls"], head_rows)
    both_numbers = bool(old.get("quantiles")) and bool(new.get("quantiles"))
    found = _of_numbers(old, new) if both_numbers else _of_categories(old, new)
    moved = abs(nulls[1] - nulls[0])
    effect = found.get("psi") or 0.0
    effect = effect if math.isfinite(effect) else 0.0
    level = 2 if effect >= PSI_MUCH or moved >= NULLS_MUCH else int(effect >= PSI_MOVED or moved >= NULLS_MOVED)
    return {
        "name": new["name"],
        "kind": new["kind"],
        "level": level,
        "verdict": WORDS[level],
        "effect": max(effect, moved),
        "nulls": {"base": nulls[0], "head": nulls[1]},
        "distinct": {"base": old["distinct"], "head": new["distinct"]},
        "label": new["name"].lower() in _LABELS,
        **_finite(found),
    }


def _finite(value: Any) -> Any:
    """What overflowed is not known: JSON has no infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return {key: _finite(item) for key, item in value.items()} if isinstance(value, dict) else value


# ---- numbers -----------------------------------------------------------------------------------
def _of_numbers(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    b, h = _Spread(old), _Spread(new)
    edges = sorted({b.quantile(n / BINS) for n in range(1, BINS)})
    p, q = b.shares(edges), h.shares(edges)
    ks = max(abs(b.below(x) - h.below(x)) for x in {*b.points, *h.points})
    n, m = old["count"], new["count"]
    wasserstein = sum(abs(x - y) for x, y in zip(b.quantiles, h.quantiles, strict=True)) / len(b.quantiles)
    low, high = min(old["min"], new["min"]), max(old["max"], new["max"])
    lines = [low + (high - low) * n / BARS for n in range(1, BARS)] if high > low else []
    return {
        "psi": _psi(p, q),
        "ks": ks,
        "js": _js(p, q),
        "wasserstein": wasserstein,
        "wasserstein_std": wasserstein / old["std"] if old["std"] else None,
        "p_value": _ks_p(ks, n, m),
        "statistics": {
            side: {k: s[k] for k in ("min", "max", "mean", "std")} | {"median": w.quantile(0.5)}
            for side, s, w in (("base", old, b), ("head", new, h))
        },
        "bars": {"edges": [low, *lines, high], "base": b.shares(lines), "head": h.shares(lines)},
    }


def histogram(sketch: dict[str, Any], bars: int = BARS) -> tuple[list[float], list[float]]:
    """(edges, share of the values between each two) of one column of numbers or times; ([], []) without values."""
    low, high = sketch.get("min"), sketch.get("max")
    if low is None or high is None:
        return [], []
    lines = [low + (high - low) * n / bars for n in range(1, bars)] if high > low else []
    return [low, *lines, high], _Spread(sketch).shares(lines)


class _Spread:
    """A distribution known by its quantiles; by its values and their counts when there are few of them."""

    def __init__(self, sketch: dict[str, Any]) -> None:
        self.quantiles: list[float] = sketch["quantiles"]
        self.values: list[float] = []
        self.cumulated: list[float] = []
        top = sketch.get("top") or []
        if top and len(top) >= sketch["distinct"] and sketch["kind"] in {"integer", "number"}:
            self._count(top)
        self.points = self.values or self.quantiles

    def _count(self, top: list[list[Any]]) -> None:
        try:
            pairs = sorted((float(value), count) for value, count in top if math.isfinite(float(value)))
        except ValueError:
            return
        total, running = sum(count for _, count in pairs), 0
        for value, count in pairs:
            running += count
            self.values.append(value)
            self.cumulated.append(running / total)

    def quantile(self, share: float) -> float:
        return self.quantiles[round(share * (len(self.quantiles) - 1))]

    def below(self, x: float) -> float:
        """Share of values that are at most x."""
        if self.values:
            place = bisect_right(self.values, x)
            return self.cumulated[place - 1] if place else 0.0
        q = self.quantiles
        right = bisect_right(q, x)
        if right == 0:
            return 0.0
        if right == len(q):
            return 1.0
        inside = (x - q[right - 1]) / (q[right] - q[right - 1])  # between two quantiles: as if evenly spread
        return (right - 1 + inside) / (len(q) - 1)

    def shares(self, edges: list[float]) -> list[float]:
        marks = [0.0, *(self.below(edge) for edge in edges), 1.0]
        return [max(0.0, marks[n + 1] - marks[n]) for n in range(len(marks) - 1)]


def _ks_p(distance: float, n: int, m: int) -> float | None:
    """Kolmogorov's asymptotic p-value of two samples."""
    if not n or not m:
        return None
    scaled = distance * (math.sqrt(n * m / (n + m)) + 0.12 + 0.11 / math.sqrt(n * m / (n + m)))
    if scaled < 0.2:
        return 1.0
    return min(1.0, max(0.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))))


# ---- categories --------------------------------------------------------------------------------
def _of_categories(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    b, h = dict(map(tuple, old.get("top") or [])), dict(map(tuple, new.get("top") or []))
    names = sorted({*b, *h}, key=lambda value: (-(b.get(value, 0) + h.get(value, 0)), value))
    # A value that only one list names may be rare in the other: what is not listed is "other" there.
    rest = old["count"] - sum(b.values()), new["count"] - sum(h.values())
    if any(rest):
        names = [value for value in names if value in b and value in h]
    counts = [[b.get(value, 0), h.get(value, 0)] for value in names]
    counts.append([old["count"] - sum(c[0] for c in counts), new["count"] - sum(c[1] for c in counts)])
    p, q = ([_share(c[side], total) for c in counts] for side, total in ((0, old["count"]), (1, new["count"])))
    chi2, freedom = _chi2(counts)
    total = old["count"] + new["count"]
    shares = [[value, p[n], q[n]] for n, value in enumerate(names[:MAX_CATEGORIES])]
    return {
        "psi": _psi(p, q) if old["count"] and new["count"] else None,
        "js": _js(p, q),
        "chi2": chi2,
        "cramers_v": math.sqrt(chi2 / total) if total else None,
        "p_value": _chi2_p(chi2, freedom) if freedom else None,
        "shares": shares,
        "gone": [value for value in b if value not in h][:MAX_CATEGORIES] if not rest[1] else [],
        "came": [value for value in h if value not in b][:MAX_CATEGORIES] if not rest[0] else [],
    }


def _chi2(counts: list[list[int]]) -> tuple[float, int]:
    """(statistic, degrees of freedom) of two samples over the same categories."""
    rows = [row for row in counts if sum(row)]
    sides = [sum(row[0] for row in rows), sum(row[1] for row in rows)]
    total = sum(sides)
    if not all(sides) or len(rows) < 2:
        return 0.0, 0
    found = 0.0
    for row in rows:
        for side in (0, 1):
            expected = sum(row) * sides[side] / total
            found += (row[side] - expected) ** 2 / expected
    return found, len(rows) - 1


def _chi2_p(statistic: float, freedom: int) -> float:
    """The upper regularised incomplete gamma function Q(freedom / 2, statistic / 2): Numerical Recipes 6.2."""
    a, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    front = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, 1000):
            term *= x / (a + n)
            total += term
            if term < total * 1e-12:
                break
        return max(0.0, 1 - front * total)
    b, c = x + 1 - a, 1e300
    d = 1 / b
    h = d
    for n in range(1, 1000):
        an = -n * (n - a)
        b += 2
        d = 1 / (an * d + b or 1e-300)
        c = b + an / c or 1e-300
        h *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return min(1.0, front * h)


# ---- distances of shares -----------------------------------------------------------------------
def _psi(p: list[float], q: list[float]) -> float:
    """The population stability index."""
    pairs = [(max(a, FLOOR), max(b, FLOOR)) for a, b in zip(p, q, strict=True)]
    return sum((b - a) * math.log(b / a) for a, b in pairs)


def _js(p: list[float], q: list[float]) -> float:
    """Jensen and Shannon's distance, from 0 to 1."""

    def half(one: list[float], other: list[float]) -> float:
        return sum(a * math.log2(2 * a / (a + b)) for a, b in zip(one, other, strict=True) if a)

    return math.sqrt(max(0.0, (half(p, q) + half(q, p)) / 2))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
