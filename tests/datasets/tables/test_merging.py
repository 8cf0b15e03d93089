"""Keyed tables merged cell by cell: CSV keeps its characters, Parquet its types, conflicts tell all three sides."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from datasets.tables import merging
from datasets.tables.names import MERGED

BASE = b"id,name,score\n1,ann,007\n2,bob,1.0\n3,cid,\n"


def run(folder: Path, base: bytes | None, ours: bytes, theirs: bytes, filename: str = "a.csv", **options: Any) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {}
    for side, data in (("base", base), ("ours", ours), ("theirs", theirs)):
        if data is not None:
            (folder / f"in-{side}").write_bytes(data)
            inputs[side] = folder / f"in-{side}"
    (folder / MERGED).unlink(missing_ok=True)
    answer = merging.merge_tables(inputs, folder, lambda *_: None, filename=filename, **({"key": ["id"]} | options))
    return answer | {"data": (folder / MERGED).read_bytes() if (folder / MERGED).exists() else b""}


def test_cells_of_both_sides_go_together_and_keep_their_characters(tmp_path):
    ours = BASE.replace(b"bob", b"BOB") + b"9,zoe,9\n"
    theirs = BASE.replace(b"1.0", b"2.0").replace(b"3,cid,\n", b"") + b"4,dan,4\n"
    expected = b"id,name,score\n1,ann,007\n2,BOB,2.0\n4,dan,4\n9,zoe,9\n"
    assert run(tmp_path / "1", BASE, ours, theirs)["data"] == expected
    assert run(tmp_path / "2", BASE, theirs, ours)["data"] == expected


def test_conflicts_tell_row_column_and_all_three_sides(tmp_path):
    answer = run(tmp_path, BASE, BASE.replace(b"bob", b"BOB"), BASE.replace(b"bob", b"rob"))
    assert answer["conflicts"] == [
        {"key": {"id": "2"}, "column": "name", "base": "bob", "ours": "BOB", "theirs": "rob"}
    ]
    assert answer["data"] == b""
    removed = run(tmp_path, BASE, BASE.replace(b"2,bob,1.0\n", b""), BASE.replace(b"bob", b"rob"))
    assert removed["conflicts"][0]["ours"] is None
    assert removed["conflicts"][0]["theirs"] == {"id": "2", "name": "rob", "score": "1.0"}


def test_a_column_that_one_side_added(tmp_path):
    theirs = b"id,name,score,age\n1,ann,007,5\n2,bob,1.0,6\n3,cid,,7\n"
    answer = run(tmp_path, BASE, BASE.replace(b"bob", b"BOB"), theirs)
    assert answer["data"] == theirs.replace(b"bob", b"BOB")


def test_parquet_keeps_its_types(tmp_path):
    def table(*rows: tuple[int, float | None]) -> bytes:
        sink = io.BytesIO()
        schema = pyarrow.schema([("id", pyarrow.int16()), ("x", pyarrow.float32())])
        parquet.write_table(pyarrow.table(list(map(list, zip(*rows, strict=True))), schema=schema), sink)
        return sink.getvalue()

    nan = float("nan")
    base = table((1, 1.5), (2, nan), (3, None))
    answer = run(tmp_path, base, table((1, 2.5), (2, nan), (3, None)), table((1, 1.5), (2, nan), (3, 4.0)), "a.parquet")
    merged = parquet.read_table(io.BytesIO(answer["data"]))
    assert merged.schema.field("id").type == pyarrow.int16()
    assert [row["x"] for row in merged.to_pylist()][::2] == [2.5, 4.0]


def test_arrow_stays_arrow_with_its_types(tmp_path):
    schema = pyarrow.schema([("id", pyarrow.int16()), ("x", pyarrow.timestamp("us", "UTC"))])

    def table(*days: int) -> bytes:
        sink = io.BytesIO()
        times = [datetime(2026, 1, day, tzinfo=UTC) for day in days]
        with ipc.new_file(sink, schema) as writer:
            writer.write_table(pyarrow.table([list(range(len(days))), times], schema=schema))
        return sink.getvalue()

    answer = run(tmp_path, table(1, 2, 3), table(9, 2, 3), table(1, 2, 8), "a.feather")
    merged = ipc.open_file(answer["data"]).read_all()
    assert merged.schema.equals(schema)
    assert [row["x"].day for row in merged.to_pylist()] == [9, 2, 8]


def test_what_was_packed_is_packed_again(tmp_path):
    ours, theirs = BASE.replace(b"bob", b"BOB"), BASE.replace(b"ann", b"ANN")
    expected = ours.replace(b"ann", b"ANN")
    answer = run(tmp_path / "1", *map(gzip.compress, (BASE, ours, theirs)), "a.csv.gz")
    assert gzip.decompress(answer["data"]) == expected
    lines = [json.dumps({"id": 1, "x": x}).encode() for x in (1, 2, 1)]
    answer = run(tmp_path / "2", *map(gzip.compress, lines), "a.jsonl.gz")
    assert gzip.decompress(answer["data"]) == lines[1] + b"\n"


JSON_BASE = b'{"id":1, "a": 1.0, "deep": {"x": [1]}}\n{"id": 2, "a": null}\n{"id": 3}\n'


def test_json_lines_are_merged_by_their_members_and_keep_their_characters(tmp_path):
    ours = JSON_BASE.replace(b"null", b"true") + b'{"id": 9, "n": 1e400}\n'
    theirs = JSON_BASE.replace(b'{"id": 2, "a": null}', b'{"id": 2, "a": null, "b": "\xc3\xa9"}').replace(
        b'{"id": 3}\n', b""
    )
    expected = b'{"id":1, "a": 1.0, "deep": {"x": [1]}}\n{"id": 2, "a": true, "b": "\xc3\xa9"}\n{"id": 9, "n": 1e400}\n'
    assert run(tmp_path / "1", JSON_BASE, ours, theirs, "a.jsonl")["data"] == expected
    assert run(tmp_path / "2", JSON_BASE, theirs, ours, "a.jsonl")["data"] == expected


def test_true_and_one_are_not_the_same_member(tmp_path):
    sides = [JSON_BASE.replace(b"null", value) for value in (b"true", b"1")]
    (conflict,) = run(tmp_path, JSON_BASE, *sides, "a.jsonl")["conflicts"]
    assert conflict == {"key": {"id": "2"}, "column": "a", "base": None, "ours": "true", "theirs": "1"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[1]", "Line 4 is no JSON object"),
        (b"{", "Line 4 cannot be merged"),
        (b'{"id": 3}', "not unique"),
        (b'{"id": [3]}', "names no row"),
        (b'{"a": 3}', "no column 'id'"),
        (b'{"id": 5, "id": 6}', "twice"),
        (b"[" * 100_000, "Line 4"),
    ],
)
def test_json_lines_that_cannot_be_merged_say_why(tmp_path, line, message):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, JSON_BASE, JSON_BASE + line + b"\n", JSON_BASE, "a.jsonl")


def test_columns_that_both_sides_added_have_one_order(tmp_path):
    ours = b"id,name,score,b\n1,ann,007,x\n2,bob,1.0,y\n3,cid,,z\n"
    theirs = b"id,name,score,a\n1,ann,007,1\n2,bob,1.0,2\n3,cid,,3\n"
    one, other = run(tmp_path / "1", BASE, ours, theirs), run(tmp_path / "2", BASE, theirs, ours)
    assert one["data"] == other["data"]
    assert one["data"].splitlines()[:2] == [b"id,name,score,a,b", b"1,ann,007,1,x"]


@pytest.mark.parametrize(
    ("ours", "message"),
    [(BASE + b"1,x,1\n", "not unique"), (b"nr,name\n1,a\n", "no column 'id'"), (b"", "empty")],
)
def test_what_cannot_be_merged_says_why(tmp_path, ours, message):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, BASE, ours, BASE)


_tables = st.dictionaries(st.integers(1, 4), st.tuples(st.sampled_from("ab"), st.sampled_from("01")), max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_tables, _tables, _tables)
def test_either_order_gives_the_same_bytes(tmp_path, base, ours, theirs):
    sides = ["id,x,y\n" + "".join(f"{k},{x},{y}\n" for k, (x, y) in t.items()) for t in (base, ours, theirs)]
    one = run(tmp_path / "1", *(side.encode() for side in sides))
    other = run(tmp_path / "2", sides[0].encode(), sides[2].encode(), sides[1].encode())
    assert one["data"] == other["data"]
    assert one["conflicts_total"] == other["conflicts_total"]
    if ours == base:
        assert one["conflicts_total"] == 0
        assert sorted(one["data"].decode().splitlines()[1:]) == sorted(sides[2].splitlines()[1:])
