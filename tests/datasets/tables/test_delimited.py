"""Text files as Parquet: thousands of columns, which DuckDB has no room for, are read without a false word."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow
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


def test_rows_of_wide_tables_are_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of a file costs its readers as many entries as there are columns."""
    monkeypatch.setattr(delimited, "BATCH_CELLS", 10 * WIDE)
    rows = [[f"c{n}" for n in range(WIDE)], *(["1"] * (WIDE - 1) + ['"2"'] for _ in range(40))]
    (tmp_path / "wide.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    con, made = connect(tmp_path), tmp_path / "made.parquet"
    delimited.to_parquet(con, tmp_path / "wide.csv", made, tmp_path / "clean", tabs=False)
    metadata = parquet.ParquetFile(made).metadata
    assert (metadata.num_rows, metadata.num_row_groups) == (40, 1)


def test_the_second_look_at_a_wide_file_costs_little(tmp_path: Path) -> None:
    """A sketch looks once for each column: where its parts lie must not be read as often."""
    wide = pyarrow.table({f"c{n}": ["a"] * 20 for n in range(2_000)})
    parquet.write_table(wide, tmp_path / "wide.parquet", row_group_size=1)
    con, seconds = connect(tmp_path), []
    for _ in range(5):
        start = time.process_time()
        con.rows("SELECT count(c7) FROM read_parquet(?)", [str(tmp_path / "wide.parquet")])
        seconds.append(time.process_time() - start)
    assert min(seconds[1:]) < seconds[0] / 2
