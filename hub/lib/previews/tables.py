"""Worker: the first rows of CSV, TSV, JSON lines and Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from hub.lib.arrow import type_name
from hub.lib.previews.texts import decoded

MAX_ROWS, MAX_COLUMNS, MAX_CELL_CHARACTERS = 200, 100, 300
DELIMITERS = ",;\t|"
MAX_FIELD_CHARACTERS = 4_000_000


def table(data: bytes, *, format: str, complete: bool) -> dict[str, Any]:
    """{"columns": names, "types": names or [], "rows": lists of text, "note": what was left out}.

    complete: data is the whole file; else its last line may be cut and is left out.
    """
    return {"csv": _csv, "tsv": _csv, "jsonl": _jsonl, "parquet": _parquet}[format](data, format, complete)


# ---- CSV ---------------------------------------------------------------------------------------
def _csv(data: bytes, format: str, complete: bool) -> dict[str, Any]:
    text, note = decoded(data)
    if not complete:
        text = text[: text.rfind("\n") + 1] or text
    delimiter = "\t" if format == "tsv" else _delimiter(text)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    # newline="" leaves line ends inside quotes to the reader; a zero byte would stop it.
    reader = csv.reader(io.StringIO(text.replace("\0", "�"), newline=""), delimiter=delimiter)
    try:
        header = next(reader, [])
        rows = list(_first(reader, MAX_ROWS + 1))
    except csv.Error as error:
        raise ValueError(f"The table cannot be read: {error}.") from error
    ragged = sum(len(row) != len(header) for row in rows if row)
    width = max([len(header), *map(len, rows)])
    notes = [note, _left_out(len(rows) > MAX_ROWS or not complete, width)]
    if ragged:
        notes.append(f"{ragged:,} of the rows shown have more or fewer cells than the header.")
    columns = header + [f"column {number}" for number in range(len(header) + 1, width + 1)]
    shown = [[*row, *[""] * (width - len(row))] for row in rows[:MAX_ROWS] if row]
    return _answer(columns, [], shown, notes)


def _delimiter(text: str) -> str:
    """The separator that occurs most in the header; a comma when in doubt."""
    header = text[:20_000].lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)


def _first(rows: Iterable[Any], limit: int) -> Iterator[Any]:
    for number, row in enumerate(rows):
        if number >= limit:
            return
        yield row


# ---- JSON lines --------------------------------------------------------------------------------
def _jsonl(data: bytes, format: str, complete: bool) -> dict[str, Any]:
    text, note = decoded(data)
    lines = text.split("\n")
    if not complete and len(lines) > 1:
        lines.pop()
    records, broken = [], 0
    wanted = [line for line in lines if line.strip()]
    for line in wanted[:MAX_ROWS]:
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            broken += 1
    if not records:
        raise ValueError("No line of this file is JSON.")
    columns = list(dict.fromkeys(key for record in records if isinstance(record, dict) for key in record))
    if columns:
        rows = [[record.get(c) if isinstance(record, dict) else record for c in columns] for record in records]
    else:
        columns, rows = ["value"], [[record] for record in records]
    notes = [note, _left_out(len(wanted) > MAX_ROWS or not complete, len(columns))]
    if broken:
        notes.append(f"{broken:,} lines are not JSON and are left out.")
    return _answer(columns, [], rows, notes)


# ---- Parquet -----------------------------------------------------------------------------------
def _parquet(data: bytes, format: str, complete: bool) -> dict[str, Any]:
    import pyarrow
    from pyarrow import parquet

    try:
        pyarrow.set_cpu_count(1)
        pyarrow.set_io_thread_count(1)
        file = parquet.ParquetFile(pyarrow.BufferReader(data), memory_map=False, pre_buffer=False)
        fields = list(file.schema_arrow)
        names = [field.name for field in fields[:MAX_COLUMNS]]
        batches = file.iter_batches(batch_size=MAX_ROWS, columns=names, use_threads=False)
        batch = next(batches, None)
        rows = [] if batch is None else [[row.get(name) for name in names] for row in batch.to_pylist()]
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"This is not a Parquet file that can be read: {str(error)[:150]}") from error
    meta = file.metadata
    notes = [f"{meta.num_rows:,} rows, {len(fields):,} columns, {meta.num_row_groups:,} row groups."]
    if meta.num_rows > MAX_ROWS or len(fields) > MAX_COLUMNS:
        notes.append(_left_out(meta.num_rows > MAX_ROWS, len(fields)))
    return _answer(names, [type_name(field.type) for field in fields[:MAX_COLUMNS]], rows[:MAX_ROWS], notes)


# ---- the answer --------------------------------------------------------------------------------
def _left_out(more_rows: bool, width: int) -> str:
    parts = [f"the first {MAX_ROWS:,} rows" if more_rows else "", ""]
    parts[1] = f"the first {MAX_COLUMNS:,} of {width:,} columns" if width > MAX_COLUMNS else ""
    shown = " and ".join(filter(None, parts))
    return f"Only {shown} are shown." if shown else ""


def _answer(columns: list[Any], types: list[str], rows: list[list[Any]], notes: list[str]) -> dict[str, Any]:
    return {
        "columns": [_cell(column) for column in columns[:MAX_COLUMNS]],
        "types": types,
        "rows": [[_cell(value) for value in row[:MAX_COLUMNS]] for row in rows],
        "note": " ".join(filter(None, notes)),
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, (bytes, bytearray)):
        text = f"{len(value):,} bytes"
    else:
        text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else str(value)
    return text if len(text) <= MAX_CELL_CHARACTERS else text[:MAX_CELL_CHARACTERS] + "…"
