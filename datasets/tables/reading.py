"""Any table file as a Parquet file: Parquet itself as it lies, text and Arrow written once more into the work folder.

Text keeps its very characters (every column is text), so that "007" and "1.0" stay what they are; `kind` says how a
column is to be compared. What cannot be read of a file is counted and said.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from datasets.tables import columns, compressed, delimited, jsonlines
from datasets.tables.columns import Column
from datasets.tables.engine import Connection, literal

MAX_COLUMNS = 5_000
PARQUET, ARROW_FILE, ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
TEXT = {"csv": "csv", "tsv": "tsv", "tab": "tsv", "txt": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "jsonl"}
BINARY = {"parquet": "parquet", "pq": "parquet", "arrow": "arrow", "feather": "arrow", "ipc": "arrow"}
EXTENSIONS = TEXT | BINARY
PACKED = {"gz", "zst", "zstd"}


@dataclass(frozen=True)
class Table:
    """path: a Parquet file. text: every column is text. notes: what the reader of a diff must know of this side."""

    path: Path
    format: str
    rows: int
    columns: list[Column]
    text: bool
    notes: list[str] = field(default_factory=list)

    @property
    def sql(self) -> str:
        return f"read_parquet({literal(str(self.path))})"

    @property
    def numbered(self) -> str:
        """With file_row_number, which counts from 0."""
        return f"read_parquet({literal(str(self.path))}, file_row_number = true)"

    def column(self, wanted: str) -> Column:
        return next(column for column in self.columns if column.name == wanted)


def format_of(filename: str) -> str:
    """What a name promises: csv, tsv, jsonl, parquet, arrow, or "" for no table."""
    parts = filename.lower().rsplit("/", 1)[-1].split(".")
    if len(parts) > 2 and parts[-1] in PACKED:
        parts.pop()
    return EXTENSIONS.get(parts[-1], "") if len(parts) > 1 else ""


def read(con: Connection, path: Path, filename: str, folder: Path, *, label: str) -> Table:
    """The table in a file. filename: what it is called; label: names its files in the work folder.

    Raises ValueError saying what is wrong with it.
    """
    notes: list[str] = []
    promised = format_of(filename)
    path = compressed.unpacked(path, folder / f"{label}.plain")
    found = _format(path, promised)
    if found != promised:
        notes.append(f"The file is named like {promised or 'no table'}, but holds {found}.")
    made = folder / f"{label}.parquet"
    if found == "parquet":
        made = path
    elif found == "arrow":
        _from_arrow(path, made)
    elif found == "jsonl":
        notes += jsonlines.to_parquet(con, path, made, folder / f"{label}.clean")
    else:
        notes += delimited.to_parquet(con, path, made, folder / f"{label}.clean", tabs=found == "tsv")
    text = found in {"csv", "tsv"}
    fields = con.rows("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(?))", [str(made)])
    if len(fields) > MAX_COLUMNS:
        raise ValueError(f"The table has {len(fields):,} columns; {MAX_COLUMNS:,} can be compared.")
    rows = con.number("SELECT count(*) FROM read_parquet(?)", [str(made)])
    described = [(str(name), str(type_)) for name, type_ in fields]
    return Table(
        made, found, rows, columns.of_text(con, made, described) if text else columns.of(described), text, notes
    )


def empty_like(con: Connection, table: Table, made: Path) -> Table:
    """A table of the same columns without rows, for a side that does not exist."""
    con.run(f"COPY (SELECT * FROM {table.sql} LIMIT 0) TO {literal(str(made))} (FORMAT parquet)")
    return replace(table, path=made, rows=0, notes=[])


def kind(path: Path, filename: str) -> str:
    """What an unpacked file is: csv, tsv, jsonl, parquet or arrow. Raises ValueError when it is no table."""
    return _format(path, format_of(filename))


def _format(path: Path, promised: str) -> str:
    with open(path, "rb") as file:
        head = file.read(8_192)
    if head.startswith(PARQUET):
        return "parquet"
    if head.startswith((ARROW_FILE, ARROW_STREAM)):
        return "arrow"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(b"\0") > 8 + len(head) // 100:
        raise ValueError("The file holds binary data that is no table.")
    if promised in TEXT.values():
        return promised
    if promised in BINARY.values():
        raise ValueError(f"The file is named like {promised}, but is none.")
    raise ValueError("This kind of file is not compared as a table.")


def _from_arrow(path: Path, made: Path) -> None:
    """Batch by batch, so that memory stays flat."""
    import pyarrow
    from pyarrow import ipc, parquet

    try:
        with pyarrow.OSFile(str(path)) as file:
            head = file.read(8)
            file.seek(0)
            if head.startswith(ARROW_FILE):
                reader = ipc.open_file(file)
                batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
            else:
                reader = ipc.open_stream(file)
                batches = iter(reader)
            with parquet.ParquetWriter(made, reader.schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)
    except (pyarrow.ArrowException, OSError, StopIteration) as error:
        raise ValueError(f"This Arrow file cannot be read: {str(error)[:150]}") from error
