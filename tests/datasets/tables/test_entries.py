"""Lists of files: what was added, removed, modified, renamed one to one, and which folders moved as a whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from datasets.dvc import manifests
from datasets.tables import entries
from datasets.tables.names import FILES, MANIFEST

Compare = Callable[..., dict[str, Any]]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """compare({path: hash}, {path: hash}) → the answer with its rows under "rows"."""
    count = iter(range(1_000_000))

    def make(base: dict[str, str], head: dict[str, str]) -> dict[str, Any]:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        for side, files in (("base", base), ("head", head)):
            (folder / side).write_text("".join(f"{path}\t{hash_}\n" for path, hash_ in files.items()))
        inputs = {"base": folder / "base", "head": folder / "head"}
        answer = entries.compare(inputs, folder, lambda *_: None, base=[["base", ""]], head=[["head", ""]])
        return answer | {"rows": parquet.read_table(folder / FILES).to_pylist()}

    return make


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(answer["summary"][f"files_{status}"] for status in ("added", "removed", "modified", "renamed"))


def test_each_kind_of_change(compare):
    answer = compare({"a": "1", "b": "2", "c": "3", "d": "4"}, {"a": "1", "b": "x", "e": "4", "f": "5"})
    assert counts(answer) == (1, 1, 1, 1)
    assert [(r["status"], r["path"], r["old_path"]) for r in answer["rows"]] == [
        ("modified", "b", None),
        ("removed", "c", None),
        ("renamed", "e", "d"),
        ("added", "f", None),
    ]


def test_renames_are_one_to_one_and_prefer_the_same_name(compare):
    answer = compare({"x/1": "s", "x/2": "s", "x/3": "s"}, {"y/2": "s", "y/9": "s"})
    assert counts(answer) == (0, 1, 0, 2)
    assert {(r["old_path"], r["path"]) for r in answer["rows"] if r["status"] == "renamed"} == {
        ("x/2", "y/2"),
        ("x/1", "y/9"),
    }


def test_empty_files_are_never_renames(compare):
    empty = "d41d8cd98f00b204e9800998ecf8427e"
    assert counts(compare({"a": empty}, {"b": empty})) == (1, 1, 0, 0)


def test_folders_that_moved_are_folded(compare):
    base = {"img/cats/1": "1", "img/cats/2": "2", "img/dogs/3": "3", "alone/4": "4"}
    head = {"pics/cats/1": "1", "pics/cats/2": "2", "pics/dogs/3": "3", "else/4": "4"}
    answer = compare(base, head)
    assert answer["folders"] == [{"from": "img", "to": "pics", "files": 3}]
    assert [row["path"] for row in answer["rows"] if row["moved_from"] is None] == ["else/4"]


def test_names_with_quotes_commas_and_any_letter(compare):
    odd = {'a,"b"': "1", "ü\\N": "2", "'; DROP": "3", "\\N": "4"}
    assert counts(compare(odd, odd | {'a,"b"': "9"})) == (0, 0, 1, 0)


def test_a_manifest_becomes_parquet_and_its_hostile_paths_are_passed_over(tmp_path):
    md5 = "a" * 32
    names = ["ok", "a/b", "../x", ".git/x", "a//b", "c\\d", "x/.DVC/y", "ok", "a/", "/r", "a\n", ".gitx", "d/..", "..."]
    (tmp_path / "m").write_text(json.dumps([{"md5": md5, "relpath": name} for name in names]))
    assert entries.manifest({"manifest": tmp_path / "m"}, tmp_path, lambda *_: None) == {"files": 4}
    kept = parquet.read_table(tmp_path / MANIFEST).to_pylist()
    assert [row["path"] for row in kept] == ["...", ".gitx", "a/b", "ok"]


@pytest.mark.parametrize("data", [b"{}", b"[1]", b'[{"md5": 1}]', b"[" * 100_000, b"\xff\xfe", b"["])
def test_what_is_no_manifest_is_refused(tmp_path, data):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ValueError):
        entries.manifest({"manifest": tmp_path / "m"}, tmp_path, lambda *_: None)


def test_manifests_are_compared_below_their_prefix(tmp_path):
    for name, files in (("one", [("1", "a" * 32), ("2", "b" * 32)]), ("two", [("1", "a" * 32), ("3", "b" * 32)])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m").write_bytes(manifests.dumps(files))
        entries.manifest({"manifest": tmp_path / name / "m"}, tmp_path / name, lambda *_: None)
    inputs = {f"manifest-{name}": tmp_path / name / MANIFEST for name in ("one", "two")}
    parts = {"base": [["manifest-one", "it's data"]], "head": [["manifest-two", "it's data"]]}
    answer = entries.compare(inputs, tmp_path, lambda *_: None, **parts)
    assert counts(answer) == (0, 0, 0, 1)
    assert parquet.read_table(tmp_path / FILES).to_pylist()[0]["path"] == "it's data/3"


_files = st.dictionaries(st.sampled_from([f"{a}/{b}" for a in "abc" for b in "123"]), st.sampled_from("pqrst"))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_files, _files)
def test_counts_are_those_of_plain_python(compare, old, new):
    gone = Counter(old[path] for path in old.keys() - new.keys())
    fresh = Counter(new[path] for path in new.keys() - old.keys())
    renamed = sum((gone & fresh).values())
    modified = sum(old[path] != new[path] for path in old.keys() & new.keys())
    expected = (sum(fresh.values()) - renamed, sum(gone.values()) - renamed, modified, renamed)
    assert counts(compare(old, new)) == expected
