"""Keyed and un-keyed diffs of tables: exact counts, what a change is and what is noise, hostile files."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from datasets.tables import diff
from datasets.tables.names import CHANGES

Compare = Callable[..., dict[str, Any]]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """compare(base, head, names=("a.csv", "a.csv"), key=[…]) → the answer, with its rows under "rows"."""
    count = iter(range(1_000_000))

    def make(base: bytes, head: bytes, names: tuple[str, str] = ("a.csv", "a.csv"), **options: Any) -> dict[str, Any]:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        inputs = {"base": folder / "in-base", "head": folder / "in-head"}
        inputs["base"].write_bytes(base)
        inputs["head"].write_bytes(head)
        options = {"key": [], "base_name": names[0], "head_name": names[1]} | options
        answer = diff.compare(inputs, folder, lambda *_: None, **options)
        if not answer["problems"]:
            answer["rows"] = parquet.read_table(folder / CHANGES).to_pylist()
        return answer

    return make


def counts(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    found = answer["summary"]
    return found["rows_added"], found["rows_removed"], found["rows_changed"], found["cells_changed"]


def as_parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue()


BASE = b"id,name,score\n1,ann,10\n2,bob,20\n3,cid,30\n4,dan,40\n"
HEAD = b"id,name,score\n1,ann,10\n2,BOB,21\n4,dan,41\n5,eve,50\n6,fay,60\n"


@pytest.mark.parametrize("options", [{"key": ["id"]}, {}])
def test_rows_are_paired_by_key_declared_or_guessed(compare, options):
    answer = compare(BASE, HEAD, **options)
    assert counts(answer) == (2, 1, 2, 3)
    assert answer["key"]["columns"] == ["id"]
    assert answer["key"]["guessed"] is not bool(options)
    changed = [row for row in answer["rows"] if row["status"] == "changed"]
    assert [(row["old.name"], row["new.name"], row["changed"]) for row in changed] == [
        ("bob", "BOB", ["name", "score"]),
        ("dan", "dan", ["score"]),
    ]
    assert answer["cells"] == [
        {"column": "score", "changed": 2, "noise": 0},
        {"column": "name", "changed": 1, "noise": 0},
    ]


def test_a_key_of_two_columns_is_guessed(compare):
    base = b"shop,day,sales\na,1,5\na,2,5\nb,1,5\nb,2,5\n"
    answer = compare(base, base.replace(b"b,2,5", b"b,2,9"))
    assert answer["key"]["columns"] == ["shop", "day"]
    assert counts(answer) == (0, 0, 1, 1)


def test_a_key_that_is_not_there_is_named(compare):
    with pytest.raises(ValueError, match="'nr'"):
        compare(BASE, HEAD, key=["nr"])


def test_rows_with_the_same_key_are_paired_in_their_order(compare):
    answer = compare(b"id,x\n1,a\n1,b\n3,c\n", b"id,x\n1,a\n1,B\n1,z\n", key=["id"])
    assert counts(answer) == (1, 1, 1, 1)
    assert answer["key"]["repeated"] == {"base": 2, "head": 3}


@pytest.mark.parametrize(
    ("keys", "repeated"),
    [
        (list(range(8_000)), 0),
        (list(range(8_000, 0, -1)), 0),
        ([f"{n:05}" for n in range(8_000)], 0),
        (list(range(2_000)) * 4, 8_000),  # each group of rows counts up, all of them do not
        ([*range(7_999), 7_998], 2),
        ([None, *range(7_999)], 0),
    ],
)
def test_keys_that_count_up_and_others_are_counted_alike(compare, keys, repeated):
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table({"id": keys}), sink, row_group_size=2_000)
    answer = compare(sink.getvalue(), sink.getvalue(), ("a.parquet", "a.parquet"), key=["id"])
    assert answer["key"]["repeated"] == {"base": repeated, "head": repeated}
    assert counts(answer) == (0, 0, 0, 0)


def test_rows_without_a_key_are_a_bag_and_the_most_alike_are_paired(compare):
    base = b"x,y,z\na,1,1\nb,2,2\nb,2,2\nc,3,3\n"
    head = b"x,y,z\nb,2,2\na,1,7\nc,3,3\nq,8,8\n"
    answer = compare(base, head, unkeyed=True)
    assert counts(answer) == (1, 1, 1, 1)
    assert answer["key"]["columns"] == []


@pytest.mark.parametrize("unkeyed", [True, False])
def test_a_change_of_order_alone_is_said(compare, unkeyed):
    lines = BASE.splitlines(keepends=True)
    answer = compare(BASE, b"".join([lines[0], *reversed(lines[1:])]), unkeyed=unkeyed)
    assert answer["only_order_changed"]
    assert counts(answer) == (0, 0, 0, 0)
    assert not compare(BASE, BASE, unkeyed=unkeyed)["only_order_changed"]


def test_columns_added_removed_renamed_and_of_another_type(compare):
    base = b"id,Bill (mm),old,n\n1,3.5,q,1\n2,4.5,r,2\n3,5.5,s,3\n"
    head = b"id,bill_mm,new,n\n1,3.5,7,1\n2,4.6,8,x\n3,5.5,9,3\n"
    answer = compare(base, head)
    schema = answer["schema"]
    assert schema["renamed"] == [{"from": "Bill (mm)", "to": "bill_mm"}]
    assert schema["retyped"] == [{"name": "n", "from": "integer", "to": "text"}]
    assert ([c["name"] for c in schema["added"]], [c["name"] for c in schema["removed"]]) == (["new"], ["old"])
    assert counts(answer) == (0, 0, 1, 2)


def test_a_number_written_differently_is_no_change_but_is_counted(compare):
    answer = compare(b"id,x\n1,1\n2,2\n", b"id,x\n1,1.0\n2,3.0\n")
    assert counts(answer) == (0, 0, 1, 1)
    assert answer["summary"]["rows_rewritten"] == 1


def test_what_begins_with_zero_is_a_name_and_no_number(compare):
    assert counts(compare(b"id,zip\n1,007\n2,010\n", b"id,zip\n1,7\n2,010\n")) == (0, 0, 1, 1)


def test_rounding_and_white_space_are_named_as_noise(compare):
    answer = compare(b"id,x,t\n1,0.3,a\n2,0.5,b\n", b"id,x,t\n1,0.30000000000000004,a \n2,0.6,c\n")
    assert answer["cells"] == [{"column": "t", "changed": 2, "noise": 1}, {"column": "x", "changed": 2, "noise": 1}]


def test_what_was_kept_with_32_bits_is_noise(compare):
    answer = compare(b"id,x\n1,2.7\n2,0.5\n", b"id,x\n1,2.700000047683716\n2,0.50001\n")
    assert answer["cells"] == [{"column": "x", "changed": 2, "noise": 1}]


def test_within_the_tolerance_numbers_are_equal(compare):
    base, head = as_parquet(id=[1, 2, 3], x=[1.0, 2.0, float("nan")]), as_parquet(id=[1, 2, 3], x=[1.0001, 3.0, 1.0])
    names = ("a.parquet", "a.parquet")
    assert counts(compare(base, head, names))[2:] == (3, 3)
    assert counts(compare(base, head, names, tolerance=0.01))[2:] == (2, 2)


def test_not_a_number_equals_itself_and_infinity_does_not_equal_a_number(compare):
    base = as_parquet(id=[1, 2, 3], x=[float("nan"), float("inf"), None])
    names = ("a.parquet", "a.parquet")
    assert counts(compare(base, base, names)) == (0, 0, 0, 0)
    head = as_parquet(id=[1, 2, 3], x=[float("nan"), 1.0, float("nan")])
    assert counts(compare(base, head, names, tolerance=0.5)) == (0, 0, 2, 2)


def test_whole_numbers_beyond_a_double_are_told_apart(compare):
    assert counts(compare(b"id,x\n1,9007199254740993\n", b"id,x\n1,9007199254740992\n", key=["id"]))[3] == 1


def test_every_format_says_the_same(compare):
    columns = {"id": [1, 2, 3], "x": ["a", "b", "c"]}
    other = {"id": [1, 2, 4], "x": ["a", "B", "d"]}
    table, changed = pyarrow.table(columns), pyarrow.table(other)

    def arrow(found: pyarrow.Table) -> bytes:
        sink = io.BytesIO()
        feather.write_feather(found, sink, compression="lz4")
        return sink.getvalue()

    def lines(found: pyarrow.Table) -> bytes:
        return b"".join(json.dumps(row).encode() + b"\n" for row in found.to_pylist())

    def text(found: pyarrow.Table, mark: str = ",") -> bytes:
        return "".join(
            mark.join(map(str, row)) + "\n" for row in [("id", "x"), *zip(*found.to_pydict().values())]
        ).encode()

    made: dict[str, Callable[[Any], bytes]] = {
        "a.parquet": lambda t: as_parquet(**t.to_pydict()),
        "a.feather": arrow,
        "a.jsonl": lines,
        "a.csv": text,
        "a.tsv": lambda t: text(t, "\t"),
        "a.csv.gz": lambda t: gzip.compress(text(t)),
        "a.jsonl.zst": lambda t: pyarrow.compress(lines(t), "zstd", asbytes=True),
    }
    for name, make in made.items():
        assert counts(compare(make(table), make(changed), (name, name))) == (1, 1, 1, 1), name
    assert counts(compare(text(table), made["a.parquet"](changed), ("a.csv", "a.parquet"))) == (1, 1, 1, 1)


def test_a_table_that_was_not_there_has_only_new_rows(compare, tmp_path):
    (tmp_path / "one").write_bytes(HEAD)
    work = tmp_path / "work"
    work.mkdir()
    answer = diff.compare({"head": tmp_path / "one"}, work, lambda *_: None, base_name="", head_name="a.csv", key=[])
    assert counts(answer) == (5, 0, 0, 0)


# ---- hostile files -----------------------------------------------------------------------------
def bomb() -> bytes:
    return gzip.compress(b"a,b\n" + b"0" * 300_000_000, 1)


PROBLEMS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an empty file": ("a.csv", lambda: b""),
    "an endless line": ("a.csv", lambda: b"id,x\n" + b"x" * 20_000_000),
    "a million columns": ("a.csv", lambda: b"," * 1_000_000),
    "a bomb": ("a.csv.gz", bomb),
    "a cut archive": ("a.csv.gz", lambda: gzip.compress(BASE * 1000)[:-20]),
    "no Parquet": ("a.parquet", lambda: b"PAR1 garbage PAR1"),
    "a wrong name": ("a.parquet", lambda: BASE),
    "a picture": ("a.csv", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 1000),
    "deep JSON": ("a.jsonl", lambda: b"[" * 1_000_000),
    "no objects": ("a.jsonl", lambda: b"1\n2\n"),
    "a broken Arrow file": ("a.arrow", lambda: b"ARROW1\0\0" + b"x" * 100),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_a_side_that_cannot_be_read_is_named_and_the_other_is_described(compare, case):
    name, make = PROBLEMS[case]
    answer = compare(BASE, make(), ("a.csv", name))
    (problem,) = answer["problems"]
    assert problem["side"] == "head"
    assert "/" not in problem["message"]  # nothing of the hub's folders
    assert answer["sides"]["base"]["rows"] == 4


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (BASE + b"7,gus\n8,hal,80,extra\n", "Rows with fewer cells"),
        (BASE + "7,ünal,1\n".encode("latin-1"), "not UTF-8: 1"),
        (BASE.replace(b"bob", b"b\0b"), "Zero bytes: 1"),
        (BASE.decode().encode("utf-16"), "UTF-16"),
        (BASE + b'9,x,"open\n', "not well-formed"),
    ],
)
def test_what_can_be_read_of_a_bad_file_is_compared_and_said(compare, data, note):
    answer = compare(BASE, data)
    assert any(note in said for said in answer["sides"]["head"]["notes"])
    assert answer["summary"]["rows_unchanged"] >= 3


def test_lines_that_are_no_objects_are_counted(compare):
    lines = b'{"id": 1, "x": 1}\nnonsense\n{"id": 2, "x": NaN}\n[1]\n'
    answer = compare(lines, lines, ("a.jsonl", "a.jsonl"))
    assert "no JSON objects: 2" in answer["sides"]["head"]["notes"][0]
    assert answer["summary"]["rows_unchanged"] == 2


def test_a_mislabelled_file_is_compared_as_what_it_is(compare):
    answer = compare(BASE, as_parquet(id=[1, 2], name=["ann", "bob"], score=[10, 20]))
    assert "holds parquet" in answer["sides"]["head"]["notes"][0]
    assert counts(answer) == (0, 2, 0, 0)


def test_names_of_columns_cannot_leave_their_quotes(compare):
    base = b'id,"a""b\'c",d\n1,x,1\n2,y,2\n'
    answer = compare(base, base.replace(b"y,2", b"z,2"))
    assert counts(answer) == (0, 0, 1, 1)
    assert answer["cells"][0]["column"] == "a\"b'c"


# ---- against a plain count ---------------------------------------------------------------------
_rows = st.dictionaries(st.integers(0, 8), st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=8)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_rows, _rows)
def test_counts_are_exact(compare, old, new):
    def text(rows: dict[int, tuple[str, int]]) -> bytes:
        return ("id,x,y\n" + "".join(f"{key},{x},{y}\n" for key, (x, y) in rows.items())).encode()

    shared = old.keys() & new.keys()
    changed = [key for key in shared if old[key] != new[key]]
    cells = sum(a != b for key in shared for a, b in zip(old[key], new[key], strict=True))
    expected = (len(new.keys() - old.keys()), len(old.keys() - new.keys()), len(changed), cells)
    assert counts(compare(text(old), text(new), key=["id"])) == expected
