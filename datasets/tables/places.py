"""What people must decide in a file, kept as lines of JSON, so that a page of a hundred thousand is soon found.

Free of the libraries of tables: the hub reads these lines itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

A_LINE = 50  # places
MOST = 200_000  # of one file; who has more takes a side


def write(path: Path, places: Iterable[dict[str, Any]]) -> int:
    """How many there were. Raises ValueError when there are too many."""
    total, rest = 0, iter(places)
    with open(path, "w", encoding="utf-8") as out:
        while line := list(islice(rest, A_LINE)):
            total += len(line)
            if total > MOST:
                raise ValueError(f"There are more than {MOST:,} conflicts.")
            out.write(json.dumps(line) + "\n")
    return total


def read(path: Path, start: int = 0, limit: int = MOST) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        lines = islice(file, start // A_LINE, None)
        every = chain.from_iterable(map(json.loads, lines))
        yield from islice(every, start % A_LINE, start % A_LINE + limit)
