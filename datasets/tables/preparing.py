"""A table that cannot be paged where it lies (text, Arrow, packed) as a Parquet file that can: made once, kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets.tables import reading, viewing
from datasets.tables.engine import Report, connect
from datasets.tables.names import TABLE


def prepare(inputs: Mapping[str, Path], folder: Path, report: Report, *, filename: str) -> dict[str, Any]:
    """What viewing.about says, with the reader's notes. The rows are in folder/table.parquet; `as_it_lies` instead when
    the file itself is Parquet. Raises ValueError."""
    with open(inputs["table"], "rb") as file:
        if file.read(4) == reading.PARQUET:
            viewing.about(b"", files=[str(inputs["table"])])  # says what is wrong with it, if anything is
    con = connect(folder)
    total = inputs["table"].stat().st_size
    with con.reporting(report, 0, total, total):
        table = reading.read(con, inputs["table"], filename, folder, label="table")
    as_it_lies = table.path == inputs["table"]
    if not as_it_lies and table.path != folder / TABLE:
        table.path.rename(folder / TABLE)
    place = table.path if as_it_lies else folder / TABLE
    found = viewing.about(b"", files=[str(place)])
    if table.text:  # the types that the values look like, not those of the file
        found["columns"] = [column.shape() for column in table.columns]
    return found | {"format": table.format, "notes": table.notes, "as_it_lies": as_it_lies}
