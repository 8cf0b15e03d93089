"""A table written in the format of another: CSV and TSV with its line ends, Parquet and Arrow with its types."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets.tables.reading import ARROW_FILE, Table

Values = Iterable[list[Any]]
HEAD_BYTES = 65_536


def write(made: Path, like: Table, names: list[str], rows: Values, *, source: Path) -> None:
    """rows: values in the order of names, None for what is empty. source: the file `like` was read from, unpacked."""
    with open(source, "rb") as file:
        head = file.read(HEAD_BYTES)
    if like.text:
        _text(made, "\t" if like.format == "tsv" else ",", "\r\n" if b"\r\n" in head else "\n", names, rows)
    else:
        _typed(made, like, names, rows, head)


def _text(made: Path, delimiter: str, ends: str, names: list[str], rows: Values) -> None:
    with open(made, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator=ends)
        writer.writerow(names)
        writer.writerows([["" if value is None else value for value in row] for row in rows])


def _typed(made: Path, like: Table, names: list[str], rows: Values, head: bytes) -> None:
    import pyarrow
    from pyarrow import ipc, parquet

    known = parquet.read_schema(like.path)  # of an Arrow file too: it was written once more as Parquet
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = pyarrow.table(
        {
            name: pyarrow.array(values, known.field(name).type if name in known.names else None)
            for name, values in zip(names, columns, strict=True)
        }
    )
    if like.format == "parquet":
        parquet.write_table(table, made)
        return
    make = ipc.new_file if head.startswith(ARROW_FILE) else ipc.new_stream
    with make(str(made), table.schema) as writer:
        writer.write_table(table)
