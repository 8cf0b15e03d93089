"""Keyed tables merged cell by cell: CSV keeps its characters, Parquet its types, conflicts tell all three sides."""

from __future__ import annotations

import csv
import gzip
import io
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from datasets.tables import merging, places
from datasets.tables.names import MERGED, PLACES
from datasets.threeway import merge_rows, resolved_rows

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


# ---- decided by people -------------------------------------------------------------------------
def decided(
    folder: Path, base: bytes | None, ours: bytes, theirs: bytes, filename: str = "a.csv", **choices: Any
) -> Any:
    """choices: rest, and places by their numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {str(n): one if isinstance(one, list) else [one, ""] for n, one in choices.pop("places", {}).items()}
    (folder / "choices").write_text(json.dumps({"rest": choices.pop("rest", ""), "places": places}))
    inputs = {"choices": folder / "choices"}
    for side, data in (("base", base), ("ours", ours), ("theirs", theirs)):
        if data is not None:
            (folder / f"in-{side}").write_bytes(data)
            inputs[side] = folder / f"in-{side}"
    options = {"key": ["id"]} | choices
    answer = merging.merge_tables(inputs, folder, lambda *_: None, filename=filename, **options)
    return answer | {"data": (folder / MERGED).read_bytes() if (folder / MERGED).exists() else b""}


OURS, THEIRS = BASE.replace(b"bob,1.0", b"BOB,2.0"), BASE.replace(b"bob,1.0", b"rob,3.0").replace(b"ann", b"ANN")


def test_places_tell_what_is_to_be_decided(tmp_path):
    run(tmp_path, BASE, OURS, THEIRS.replace(b"3,cid,\n", b""))
    assert list(places.read(tmp_path / PLACES)) == [
        {"kind": "cell", "where": "id 2, name", "type": "text", "base": "bob", "ours": "BOB", "theirs": "rob"},
        {"kind": "cell", "where": "id 2, score", "type": "text", "base": "1.0", "ours": "2.0", "theirs": "3.0"},
    ]
    run(tmp_path, BASE, BASE.replace(b"3,cid,", b"3,CID,"), BASE.replace(b"3,cid,\n", b""))
    (row,) = places.read(tmp_path / PLACES)
    assert (row["kind"], row["where"], row["theirs"]) == ("row", "id 3", None)
    assert row["ours"] == {"fields": [["name", "CID"], ["id", "3"], ["score", None]], "differ": ["name"], "more": 0}


def test_choices_of_cells_keep_what_both_sides_changed_besides(tmp_path):
    answer = decided(tmp_path, BASE, OURS, THEIRS, places={0: ["value", "Bo, b"], 1: "theirs"})
    assert answer["data"] == b'id,name,score\n1,ANN,007\n2,"Bo, b",3.0\n3,cid,\n'
    answer = decided(tmp_path, BASE, OURS, THEIRS, rest="base", places={1: ["value", ""]})
    assert answer["data"] == b"id,name,score\n1,ANN,007\n2,bob,\n3,cid,\n"


@pytest.mark.parametrize(
    ("places", "number"), [({}, 0), ({0: "ours"}, 1), ({0: "ours", 1: "nonsense"}, 1), ({0: "ours", 1: "remove"}, 1)]
)
def test_half_of_the_choices_write_nothing(tmp_path, places, number):
    answer = decided(tmp_path, BASE, OURS, THEIRS, places=places)
    assert (answer["undecided"], answer["data"]) == (number, b"")


def test_a_column_of_numbers_takes_numbers(tmp_path):
    sides = [b"id,n\n1,%d\n" % n for n in (1, 2, 3)]
    answer = decided(tmp_path / "1", *sides, places={0: ["value", "many"]})
    assert answer["why"] == "id 1: 'many' is not a whole number."
    assert decided(tmp_path / "2", *sides, places={0: ["value", "007"]})["data"] == b"id,n\n1,007\n"


def parquet_of(**columns: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue()


def test_typed_values_of_parquet_have_the_type_of_their_column(tmp_path):
    days = [datetime(2026, 1, day, tzinfo=UTC).date() for day in (1, 2, 3)]
    sides = [
        parquet_of(id=[1, 2], day=[day, days[0]], x=[x, 1.0]) for day, x in zip(days, (0.5, 1.5, 2.5), strict=True)
    ]
    answer = decided(tmp_path, *sides, "a.parquet", places={0: ["value", "2027-05-06"], 1: ["value", "nan"]})
    row = parquet.read_table(io.BytesIO(answer["data"])).to_pylist()[0]
    assert (row["day"], str(row["x"])) == (datetime(2027, 5, 6, tzinfo=UTC).date(), "nan")
    answer = decided(tmp_path, *sides, "a.parquet", places={0: ["value", "soon"], 1: "ours"})
    assert answer["undecided"] == 0
    assert decided(tmp_path, *sides, "a.parquet", places={0: ["value", ""], 1: "ours"})["rows"] == 2


def test_a_column_that_one_side_removed_and_the_other_changed_is_one_place(tmp_path):
    ours, theirs = b"id,name\n1,ann\n2,bob\n3,cid\n4,dan\n", BASE.replace(b"007", b"008") + b"5,eve,5\n"
    run(tmp_path, BASE, ours, theirs)
    assert list(places.read(tmp_path / PLACES)) == [
        {
            "kind": "column",
            "where": "the column score",
            "base": "as it was",
            "ours": None,
            "theirs": "kept, with 1 changed cell",
        }
    ]
    kept = decided(tmp_path, BASE, ours, theirs, rest="theirs")["data"]
    assert kept == b"id,name,score\n1,ann,008\n2,bob,1.0\n3,cid,\n4,dan,\n5,eve,5\n"
    assert decided(tmp_path, BASE, ours, theirs, rest="ours")["data"] == ours + b"5,eve\n"


def test_json_lines_are_decided_by_their_members(tmp_path):
    sides = [JSON_BASE.replace(b"null", value) for value in (b"true", b"1")]
    answer = decided(tmp_path / "1", JSON_BASE, *sides, "a.jsonl", places={0: ["value", '{"b": [1]}']})
    assert b'{"id": 2, "a": {"b": [1]}}' in answer["data"]
    assert decided(tmp_path / "2", JSON_BASE, *sides, "a.jsonl", places={0: ["value", "word"]})["undecided"] == 0
    assert b'"a": true' in decided(tmp_path / "3", JSON_BASE, *sides, "a.jsonl", rest="ours")["data"]


def test_a_thousand_columns_and_huge_cells(tmp_path):
    names = ",".join(f"c{n}" for n in range(999))
    wide = [f"id,{names}\n1{''.join(f',{cell}' for _ in range(999))}\n".encode() for cell in ("a", "é" * 400, "NaN")]
    run(tmp_path, *wide)
    found = list(places.read(tmp_path / PLACES))
    assert len(found) == 999
    assert found[0]["theirs"] == "NaN"
    assert len(found[0]["ours"]) == 301
    assert decided(tmp_path, *wide, rest="ours")["data"] == wide[1]
    run(tmp_path, wide[0], wide[1], f"id,{names}\n".encode())
    (row,) = places.read(tmp_path / PLACES)
    assert (len(row["ours"]["fields"]), row["ours"]["more"]) == (30, 970)


_cells = st.sampled_from(["", "x", "y", "NULL", "ü\N{BELL}", '"'])
_keyed = st.dictionaries(st.sampled_from("1234"), st.tuples(_cells, _cells), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_keyed, _keyed, _keyed, st.sampled_from(["ours", "theirs", "base"]))
def test_a_side_for_all_places_is_that_side_where_both_changed_it(tmp_path, base, ours, theirs, word):
    def csv_of(rows: dict[str, tuple[str, str]]) -> bytes:
        sink = io.StringIO()
        csv.writer(sink, lineterminator="\n").writerows([["id", "a", "b"], *([key, *row] for key, row in rows.items())])
        return sink.getvalue().encode()

    folder = tmp_path / secrets.token_hex(4)
    answer = decided(folder, *map(csv_of, (base, ours, theirs)), rest=word)
    rows = {row[0]: tuple(row[1:]) for row in list(csv.reader(io.StringIO(answer["data"].decode())))[1:]}
    sides = {"base": base, "ours": ours, "theirs": theirs}
    expected = merge_rows(*({k: dict(zip("ab", row, strict=True)) for k, row in sides[s].items()} for s in sides))
    cells = resolved_rows(expected, [getattr(conflict, word) for conflict in expected.conflicts])
    assert rows == {key: (row.get("a", ""), row.get("b", "")) for key, row in cells.items()}
