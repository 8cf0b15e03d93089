"""The deviation of a sample (n - 1) as an aggregate function of SQLite, which has none; PostgreSQL's is the same."""

from __future__ import annotations

import math


class Deviation:
    """Welford's way, which loses no digits. None of fewer than two values."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def step(self, value: float | None) -> None:
        if value is None:
            return
        self.count += 1
        off = value - self.mean
        self.mean += off / self.count
        self.squares += off * (value - self.mean)

    def finalize(self) -> float | None:
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else None
