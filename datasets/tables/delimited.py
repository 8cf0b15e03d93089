"""CSV and TSV as Parquet whose columns are all text.

A well-formed file goes through DuckDB, unless it has thousands of columns: DuckDB wants room for 2,048 rows of them,
several times. One that is not goes through Python's reader, which takes what there is: a missing cell is empty, a cell
too many is counted and left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.tables import texts
from datasets.tables.engine import Connection, NeedsMemory, literal

if TYPE_CHECKING:
    import pyarrow

DELIMITERS = ",;\t|"
MAX_COLUMNS = 5_000
MAX_FIELD_CHARACTERS = texts.MAX_LINE_BYTES
BATCH_CELLS, GROUP_BYTES = 400_000, 64 * 1024**2
NOT_WELL_FORMED = "The file is not well-formed CSV; it was read as far as it can be."


def to_parquet(con: Connection, path: Path, made: Path, clean: Path, *, tabs: bool) -> list[str]:
    """Write the table of a text file at made; what the reader of it must know. Raises ValueError."""
    path, notes = texts.as_utf8(path, clean)
    with open(path, encoding="utf-8-sig", newline="") as file:
        start = file.read(texts.MAX_LINE_BYTES // 4)
    delimiter = "\t" if tabs else _delimiter(start)
    header = _header(start, delimiter)
    options = (
        f"all_varchar = true, header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"', skip = 0, "
        f"comment = '', strict_mode = true, ignore_errors = false, names = {_names_sql(header)}, "
        f"max_line_size = {texts.MAX_LINE_BYTES}, nullstr = ''"
    )
    try:
        con.run(f"COPY (SELECT * FROM read_csv(?, {options})) TO {literal(str(made))} (FORMAT parquet)", [str(path)])
    except NeedsMemory:
        try:
            notes += _by_python(path, made, header, delimiter, strict=True)
        except ValueError:
            notes += _by_python(path, made, header, delimiter) or [NOT_WELL_FORMED]
    except ValueError:
        notes += _by_python(path, made, header, delimiter) or [NOT_WELL_FORMED]
    return notes


def _delimiter(text: str) -> str:
    """The separator that occurs most in the header; a comma when in doubt."""
    header = text[:100_000].lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)


def _header(text: str, delimiter: str) -> list[str]:
    """The names of the columns, made unique and non-empty."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    try:
        names = next(csv.reader(iter(text.splitlines(keepends=True)), delimiter=delimiter), [])
    except csv.Error as error:
        raise ValueError(f"The header cannot be read: {error}.") from error
    if not names:
        raise ValueError("The file is empty.")
    if len(names) > MAX_COLUMNS:
        raise ValueError(f"The table has {len(names):,} columns; {MAX_COLUMNS:,} can be compared.")
    found: dict[str, None] = {}
    lower: set[str] = set()
    for number, text_ in enumerate(names, 1):
        name = base = text_.strip()[:200] or f"column {number}"
        while name.lower() in lower:
            name = f"{base} ({number})"
            base += "'"
        found[name] = None
        lower.add(name.lower())
    return list(found)


def _names_sql(names: list[str]) -> str:
    return "[" + ", ".join(literal(name) for name in names) + "]"


# ---- what DuckDB does not read -----------------------------------------------------------------
def _by_python(path: Path, made: Path, header: list[str], delimiter: str, *, strict: bool = False) -> list[str]:
    """strict: refuse quotes that are not those of CSV. Raises ValueError."""
    import pyarrow
    from pyarrow import parquet

    ragged = _Ragged()
    schema = pyarrow.schema([(name, pyarrow.string()) for name in header])
    with open(path, encoding="utf-8-sig", newline="") as file, parquet.ParquetWriter(made, schema) as writer:
        reader = csv.reader(file, delimiter=delimiter, strict=strict)
        try:
            next(reader, None)
            for group in _groups(_batch(batch, schema) for batch in _batches(reader, len(header), ragged)):
                writer.write_table(pyarrow.Table.from_batches(group))
        except csv.Error as error:
            raise ValueError(f"Line {reader.line_num:,} cannot be read: {error}.") from error
    notes = []
    if ragged.short:
        notes.append(f"Rows with fewer cells than the header: {ragged.short:,}; their missing cells count as empty.")
    if ragged.long:
        notes.append(f"Rows with more cells than the header: {ragged.long:,}; the cells beyond it are left out.")
    return notes


def _groups(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[list[pyarrow.RecordBatch]]:
    """What is written together: a row group of few rows costs its readers more than its rows do."""
    group: list[pyarrow.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(one.nbytes for one in group) >= GROUP_BYTES:
            yield group
            group = []
    if group:
        yield group


class _Ragged:
    short = long = 0


def _batches(reader: Iterator[list[str]], width: int, ragged: _Ragged) -> Iterator[list[list[str]]]:
    most = max(1, BATCH_CELLS // width)
    batch: list[list[str]] = []
    for row in reader:
        if not row:
            continue  # an empty line
        if len(row) < width:
            ragged.short += 1
            row += [""] * (width - len(row))
        elif len(row) > width:
            ragged.long += 1
            row = row[:width]
        batch.append(row)
        if len(batch) >= most:
            yield batch
            batch = []
    if batch:
        yield batch


def _batch(rows: list[list[str]], schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow

    cells = ([cell or None for cell in column] for column in zip(*rows, strict=True))
    return pyarrow.record_batch([pyarrow.array(column, pyarrow.string()) for column in cells], schema=schema)
