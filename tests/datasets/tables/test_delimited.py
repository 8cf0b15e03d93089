"""Text files as Parquet: thousands of columns, which DuckDB has no room for, are read without a false word."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyarrow import parquet

from datasets.tables import delimited
from datasets.tables.engine import connect

WIDE = delimited.MAX_COLUMNS


@pytest.mark.parametrize(
    ("last", "notes"),
    [
        ("1", []),
        ('"1"', []),
        ("1,2", ["Rows with more cells than the header: 1; the cells beyond it are left out."]),
        ('"1"2', [delimited.NOT_WELL_FORMED]),
    ],
)
def test_as_many_columns_as_can_be_read(tmp_path: Path, last: str, notes: list[str]) -> None:
    rows = [[f"c{n}" for n in range(WIDE)], ["0"] * WIDE, ["1"] * (WIDE - 1) + [last]]
    (tmp_path / "wide.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    made = tmp_path / "made.parquet"
    con = connect(tmp_path)
    assert delimited.to_parquet(con, tmp_path / "wide.csv", made, tmp_path / "clean", tabs=False) == notes
    file = parquet.ParquetFile(made)
    assert (file.metadata.num_rows, file.metadata.num_columns) == (2, WIDE)
    assert file.read(columns=["c0"]).to_pylist() == [{"c0": "0"}, {"c0": "1"}]
