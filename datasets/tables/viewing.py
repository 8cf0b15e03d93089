"""What a Parquet file holds, and one page of its rows, without reading the rest: runs in the sandbox's short calls.

The file lies here, or elsewhere: then `size` is given, and its bytes come by ranges (hub.lib.served).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from datasets.tables.pages import cell
from hub.lib.arrow import type_name
from hub.lib.served import ServedFile

if TYPE_CHECKING:
    import pyarrow
    from pyarrow import parquet

MIB = 1024 * 1024
MAX_COLUMNS = 20_000
PART_BYTES = 14 * MIB  # what the first rows of the columns shown together may cost to read
PART_COLUMNS = 30
PAGE_BYTES, DICTIONARY_PAGE_BYTES = 1 * MIB, 256 * 1024  # pages as writers make them
AHEAD_BYTES = 64 * MIB
SKIP_ROWS = 16_384
BUFFER_BYTES = 256 * 1024


def about(payload: bytes, *, files: list[str], size: int | None = None) -> dict[str, Any]:
    """{"format", "rows", "columns": [{"name", "type", "kind", "text"}], "notes", "parts"}. Raises ValueError.

    parts: [start, end) of the columns that are shown together, made so that their first rows cost little to read.
    """
    file, _ = _open(files[0], size)
    fields = list(file.schema_arrow)
    if not fields:
        raise ValueError("This Parquet file has no columns.")
    if len(fields) > MAX_COLUMNS:
        raise ValueError(f"The table has {len(fields):,} columns; {MAX_COLUMNS:,} can be shown.")
    names = unique([field.name for field in fields])
    columns = [
        {"name": name, "type": type_name(field.type)[:200], "kind": _kind(field.type), "text": False}
        for name, field in zip(names, fields, strict=True)
    ]
    return {
        "format": "parquet",
        "rows": file.metadata.num_rows,
        "columns": columns,
        "notes": [],
        "parts": _parts(file),
        "row_groups": file.metadata.num_row_groups,
    }


def page(
    payload: bytes, *, files: list[str], columns: list[int], offset: int, limit: int, size: int | None = None
) -> dict[str, Any]:
    """{"rows": [[text or null of each column] …]} from a row on, counted from 0. columns: numbers, ascending."""
    file, elsewhere = _open(files[0], size)
    groups, skip = _groups(file, offset, limit)
    by_column = _leaves(file)
    leaves = [leaf for number in columns for leaf in by_column[number]]
    if not groups or not leaves:
        return {"rows": []}
    if elsewhere is not None:
        elsewhere.fetch(_ranges(file, groups[0], leaves, skip + limit), again=skip + limit <= SKIP_ROWS)
    width = len(columns)
    cells: list[list[str | None]] = [[] for _ in columns]
    for batch in _batches(file, groups, leaves, skip, limit):
        if batch.num_columns != width:
            raise ValueError("The columns of this Parquet file are not what its schema says.")
        for number, column in enumerate(batch.columns):
            cells[number] += values(column)
    return {"rows": [list(row) for row in zip(*cells, strict=True)]}


def unique(names: list[str]) -> list[str]:
    """The same names, with numbers behind those that come again and for those that are empty."""
    found: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        plain = made = name.replace("\0", "�")[:200] or f"column {number}"
        count = 1
        while made in found:
            count += 1
            made = f"{plain} ({count})"
        found[made] = None
    return list(found)


# ---- the file ----------------------------------------------------------------------------------
def _open(path: str, size: int | None) -> tuple[parquet.ParquetFile, ServedFile | None]:
    import pyarrow
    from pyarrow import parquet

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    elsewhere = ServedFile(path, size) if size is not None else None
    source = path if elsewhere is None else pyarrow.PythonFile(elsewhere, mode="r")
    try:
        # Buffered: of a column only the pages are read that hold the rows, not the whole of it.
        file = parquet.ParquetFile(source, memory_map=False, pre_buffer=False, buffer_size=BUFFER_BYTES)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"This is not a Parquet file that can be read: {_plain(error)}") from error
    return file, elsewhere


def _plain(error: Exception) -> str:
    text = str(error).split("\n", 1)[0]
    return text[:150] if "/dev/" not in text else "its end is missing or damaged."


def _kind(type_: pyarrow.DataType) -> str:
    """As datasets.tables.columns says it."""
    from pyarrow import types

    if types.is_dictionary(type_):
        return _kind(type_.value_type)
    if types.is_integer(type_):
        return "integer"
    if types.is_floating(type_) or types.is_decimal(type_):
        return "number"
    if types.is_date(type_) or types.is_timestamp(type_):
        return "time"
    if types.is_boolean(type_):
        return "boolean"
    text = types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_)
    return "text" if text else "other"


def _leaves(file: parquet.ParquetFile) -> list[list[int]]:
    """The numbers of the leaf columns below each column. Raises ValueError."""
    counts = [_width(field.type) for field in file.schema_arrow]
    if sum(counts) != file.metadata.num_columns:
        raise ValueError("The columns of this Parquet file are not what its schema says.")
    ends = list(accumulate(counts))
    return [list(range(end - count, end)) for count, end in zip(counts, ends, strict=True)]


def _width(type_: pyarrow.DataType) -> int:
    from pyarrow import types

    if types.is_dictionary(type_) or not types.is_nested(type_):
        return 1
    return sum(_width(type_.field(number).type) for number in range(type_.num_fields)) or 1


# ---- what to read ------------------------------------------------------------------------------
def _parts(file: parquet.ParquetFile) -> list[list[int]]:
    costs = [0] * len(file.schema_arrow)
    if file.metadata.num_row_groups:
        group = file.metadata.row_group(0)
        costs = [sum(_cost(group.column(leaf))[1] for leaf in leaves) for leaves in _leaves(file)]
    parts, start, spent = [], 0, 0
    for number, cost in enumerate(costs):
        if number > start and (spent + cost > PART_BYTES or number - start >= PART_COLUMNS):
            parts.append([start, number])
            start, spent = number, 0
        spent += cost
    return [*parts, [start, len(costs)]]


def _cost(chunk: Any, share: float = 0.0) -> tuple[int, int]:
    """(where the chunk begins, how many bytes its first rows take at most, as writers make pages). share: of the
    chunk's rows that are wanted."""
    begin, size = chunk.data_page_offset, max(0, chunk.total_compressed_size)
    dictionary = 0
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        dictionary = max(0, chunk.data_page_offset - chunk.dictionary_page_offset)
        begin = min(begin, chunk.dictionary_page_offset)
    packed = min(1.0, size / max(1, chunk.total_uncompressed_size))
    a_page = DICTIONARY_PAGE_BYTES if dictionary else int(PAGE_BYTES * packed) + BUFFER_BYTES
    rest = max(0, size - dictionary)
    return begin, dictionary + min(rest, a_page + int(share * rest))


def _ranges(file: parquet.ParquetFile, group: int, leaves: list[int], rows: int) -> list[tuple[int, int]]:
    """The bytes that the first row group will want, as far as can be known."""
    meta = file.metadata.row_group(group)
    share = rows / max(1, meta.num_rows) if rows > SKIP_ROWS else 0.0
    ranges: list[tuple[int, int]] = []
    spent = 0
    for leaf in leaves:
        begin, cost = _cost(meta.column(leaf), share)
        spent += cost
        if spent > AHEAD_BYTES:
            break
        ranges.append((begin, begin + cost))
    return ranges


def _groups(file: parquet.ParquetFile, offset: int, limit: int) -> tuple[list[int], int]:
    """(the row groups that hold these rows, how many rows of the first come before them)."""
    found: list[int] = []
    start = skip = 0
    for number in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(number).num_rows
        if rows and start < offset + limit and start + rows > offset:
            skip = offset - start if not found else skip
            found.append(number)
        start += rows
    return found, max(0, skip)


def _batches(
    file: parquet.ParquetFile, groups: list[int], leaves: list[int], skip: int, limit: int
) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow

    size = limit if skip < limit else min(SKIP_ROWS, skip)
    try:
        for batch in file.reader.iter_batches(size, row_groups=groups, column_indices=leaves, use_threads=False):
            if skip >= batch.num_rows:
                skip -= batch.num_rows
                continue
            part = batch.slice(skip, limit)
            skip, limit = 0, limit - part.num_rows
            yield part
            if limit <= 0:
                return
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"These rows cannot be read: {_plain(error)}") from error


# ---- cells -------------------------------------------------------------------------------------
def values(column: pyarrow.Array) -> list[str | None]:
    """The cells of a column as people read them; what Python has no value for, as Arrow writes it."""
    import pyarrow

    try:
        found = column.to_pylist()
    except (pyarrow.ArrowException, ValueError, OverflowError):  # times out of Python's range, text that is no UTF-8
        found = _written(column)
    return [shown(value) for value in found]


def _written(column: pyarrow.Array) -> list[Any]:
    import pyarrow

    for type_ in (pyarrow.binary(), pyarrow.string()):
        try:
            found = column.cast(type_, safe=False).to_pylist()
        except (pyarrow.ArrowException, ValueError):
            continue
        return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in found]
    return ["unreadable"] * len(column)


def shown(value: Any) -> str | None:
    text = cell(value)
    return text.replace("\0", "�") if text else text
