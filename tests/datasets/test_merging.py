"""Three-way merges: nothing invented, nothing lost, either order; files byte for byte as DVC writes them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.dvc import manifests, merging
from datasets.dvc.documents import Malformed
from datasets.dvc.foldermerging import Unplaced, merge_folders
from datasets.dvc.manifests import BadManifest
from datasets.dvc.merging import Directory
from datasets.threeway import Conflict, is_cell, merge_files, merge_rows, resolved_rows

ORDER = settings(max_examples=300, deadline=None)
_paths = st.sampled_from(["a", "b", "a/x", "a/y", "a/x/1", "b/z", "c/d/e", "f"])
_folders = st.dictionaries(_paths, st.sampled_from("pqr"), max_size=8)


def is_folder(files: dict[str, Any]) -> bool:
    return not any(other.startswith(f"{path}/") for path in files for other in files)


folders = _folders.filter(is_folder)


# ---- files -------------------------------------------------------------------------------------
@ORDER
@given(folders, folders, folders)
def test_files_merge_alike_in_either_order(base, ours, theirs):
    one, other = merge_files(base, ours, theirs), merge_files(base, theirs, ours)
    assert one.value == other.value
    assert one.conflicts == [conflict.swapped() for conflict in other.conflicts]


@ORDER
@given(folders, folders)
def test_what_one_side_did_alone_is_the_merge(base, side):
    for merged in (merge_files(base, base, side), merge_files(base, side, base), merge_files(base, side, side)):
        assert merged.value == side
        assert merged.conflicts == []


@ORDER
@given(folders, folders, folders)
def test_no_file_is_invented_and_none_is_lost(base, ours, theirs):
    merged = merge_files(base, ours, theirs)
    assert is_folder(merged.value)
    told = {conflict.where: conflict for conflict in merged.conflicts}
    assert not told.keys() & merged.value.keys()
    for path, value in merged.value.items():
        assert value in {ours.get(path), theirs.get(path)}
    for path in {*base, *ours, *theirs} - merged.value.keys() - told.keys():
        # Gone: a side removed it, and the other had not touched it.
        assert path in base
        assert {ours.get(path), theirs.get(path)} <= {None, base[path]}
        assert None in {ours.get(path), theirs.get(path)}
    for path, conflict in told.items():
        assert (conflict.base, conflict.ours, conflict.theirs) == (base.get(path), ours.get(path), theirs.get(path))


def test_both_deleted_is_no_conflict_and_a_file_where_a_folder_is_one():
    assert merge_files({"a": "1", "b": "2"}, {"b": "2"}, {"b": "3"}).value == {"b": "3"}
    clash = merge_files({}, {"a": "1"}, {"a/b": "2"})
    assert [(c.where, c.reason) for c in clash.conflicts] == [("a", "clash"), ("a/b", "clash")]


# ---- rows --------------------------------------------------------------------------------------
_rows = st.dictionaries(st.integers(0, 3), st.fixed_dictionaries({"x": st.integers(0, 2), "y": st.integers(0, 2)}))


@ORDER
@given(_rows, _rows, _rows)
def test_rows_merge_cell_by_cell_in_either_order(base, ours, theirs):
    one, other = merge_rows(base, ours, theirs), merge_rows(base, theirs, ours)
    assert one.value == other.value
    assert sorted(map(repr, one.conflicts)) == sorted(repr(c.swapped()) for c in other.conflicts)
    for key, row in one.value.items():
        for column, cell in row.items():
            assert cell in {ours.get(key, {}).get(column), theirs.get(key, {}).get(column)}
    assert merge_rows(base, base, theirs).value == theirs
    assert merge_rows(base, ours, base).value == ours


@ORDER
@given(_rows, _rows, _rows, st.randoms())
def test_chosen_rows_and_cells_are_a_side_s_and_the_rest_stays_merged(base, ours, theirs, chance):
    merged = merge_rows(base, ours, theirs)
    words = [chance.choice(["base", "ours", "theirs"]) for _ in merged.conflicts]
    rows = resolved_rows(merged, [getattr(c, word) for c, word in zip(merged.conflicts, words, strict=True)])
    for conflict, word in zip(merged.conflicts, words, strict=True):
        key, column = conflict.where if is_cell(conflict) else (conflict.where, "")
        side = {"base": base, "ours": ours, "theirs": theirs}[word]
        if column:
            assert rows[key].get(column) == side.get(key, {}).get(column)
        else:
            assert rows.get(key) == side.get(key)
    for key, agreed in {**merged.value, **merged.partial}.items():
        assert agreed.items() <= rows[key].items()
    every = resolved_rows(merged, [c.ours for c in merged.conflicts])
    assert resolved_rows(merge_rows(base, ours, base), []) == ours
    for conflict in merged.conflicts:
        key = conflict.where[0] if is_cell(conflict) else conflict.where
        if not is_cell(conflict):
            assert every.get(key) == ours.get(key)


def test_different_cells_of_one_row_go_together_and_the_same_cell_is_a_conflict():
    base = {1: {"x": "a", "y": "b"}}
    assert merge_rows(base, {1: {"x": "A", "y": "b"}}, {1: {"x": "a", "y": "B"}}).value == {1: {"x": "A", "y": "B"}}
    (conflict,) = merge_rows(base, {1: {"x": "A", "y": "b"}}, {1: {"x": "Z", "y": "b"}}).conflicts
    assert conflict == Conflict((1, "x"), "a", "A", "Z", "cell")
    (removed,) = merge_rows(base, {}, {1: {"x": "Z", "y": "b"}}).conflicts
    assert (removed.where, removed.ours) == (1, None)


# ---- manifests ---------------------------------------------------------------------------------
def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def manifest(**files: str) -> bytes:
    return manifests.dumps([(path, md5(text)) for path, text in files.items()])


def test_a_merged_manifest_has_the_bytes_and_the_name_that_dvc_gives_it():
    merged = merge_folders(manifest(a="1", b="2"), manifest(a="1", b="3"), manifest(b="2", c="4"))
    expected = json.dumps(
        [{"md5": md5("3"), "relpath": "b"}, {"md5": md5("4"), "relpath": "c"}], sort_keys=True
    ).encode()
    assert merged.data == expected
    assert (merged.oid, merged.files) == (hashlib.md5(expected).hexdigest() + ".dir", 2)


def test_a_manifest_added_on_both_sides_and_one_in_conflict():
    assert merge_folders(None, manifest(a="1"), manifest(b="2")).data == manifest(a="1", b="2")
    merged = merge_folders(manifest(a="1"), manifest(a="2"), manifest(a="3"))
    assert (merged.data, merged.oid) == (b"", "")
    assert merged.conflicts == [Conflict("a", md5("1"), md5("2"), md5("3"))]


@pytest.mark.parametrize(
    "bad", [b"", b"{}", b"[1]", b'[{"md5": "x", "relpath": "a"}]', b"[" * 100_000, manifest(**{"../x": "1"})]
)
def test_a_manifest_that_is_none_is_refused_and_never_merged_in_part(bad):
    with pytest.raises(BadManifest):
        merge_folders(bad, manifest(a="1"), manifest(b="1"))


_named = st.dictionaries(
    st.sampled_from(["a", "b", "a/x", "a/y", "b/z", 'q"', "ü", "c/d", ".gitkeep", "a/.x", "f"]),
    st.sampled_from("pqr").map(lambda letter: md5(letter)),
    max_size=9,
).filter(is_folder)


@ORDER
@given(_named, _named, _named, st.sampled_from(["ours", "theirs", "base"]))
def test_lists_of_files_merge_as_their_entries_do(base, ours, theirs, word):
    lists = [manifests.dumps(side.items()) for side in (base, ours, theirs)]
    merged, expected = merge_folders(*lists), merge_files(base, ours, theirs)
    assert merged.conflicts == expected.conflicts
    if not merged.conflicts:
        assert merged.data == manifests.dumps(expected.value.items())
    sides = {str(c.where): getattr(c, word) for c in merged.conflicts}
    chosen = {path: one for path, one in sides.items() if one}
    if not is_folder(expected.value | chosen):
        with pytest.raises(Unplaced):
            merge_folders(*lists, decide=lambda _: chosen)
        return
    decided = merge_folders(*lists, decide=lambda _: chosen)
    now = manifests.whole(decided.data)
    side = {"base": base, "ours": ours, "theirs": theirs}[word]
    assert {path: now.get(path) for path in sides} == {path: side.get(path) for path in sides}
    assert {path: one for path, one in now.items() if path not in sides} == expected.value
    assert is_folder(now)
    assert decided.files == len(now)


@pytest.mark.parametrize("name", ["b", "b/x", "kept", "kept/x", "in"])
def test_a_name_that_is_taken_is_refused(name):
    sides = [manifest(**{"a": one, "kept": "k", "in/side": "i"}) for one in "123"]
    sides[2] = manifest(**{"a": "3", "kept": "k", "in/side": "i", "b": "new"})
    assert merge_folders(*sides, decide=lambda _: {"a": md5("2"), "free": md5("3")}).files == 5
    with pytest.raises(Unplaced, match=name):
        merge_folders(*sides, decide=lambda _: {"a": md5("2"), name: md5("3")})


# ---- pointers ----------------------------------------------------------------------------------
def pointer(oid: str, *, size: int = 3, nfiles: int = 1, more: str = "", head: str = "") -> bytes:
    return f"{head}outs:\n- md5: {oid}\n  size: {size}\n  nfiles: {nfiles}\n  hash: md5\n  path: data\n{more}".encode()


def test_a_directory_that_both_sides_changed_is_merged():
    asked: list[Any] = []

    def merge_directory(*given: str) -> Directory:
        asked.append(given)
        return Directory("c" * 32 + ".dir", 9, 4)

    sides = [pointer(letter * 32 + ".dir") for letter in "eab"]
    merged = merging.merge_pointers(*sides, merge_directory=merge_directory)
    assert merged.data == pointer("c" * 32 + ".dir", size=9, nfiles=4)
    assert asked == [("data", *(letter * 32 + ".dir" for letter in "eab"))]
    other = merging.merge_pointers(sides[0], sides[2], sides[1], merge_directory=merge_directory)
    assert other.data == merged.data


def test_conflicts_inside_of_a_directory_are_told_with_their_path():
    found = [Conflict("x.png", "1", "2", "3")]
    sides = [pointer(letter * 32 + ".dir") for letter in "eab"]
    merged = merging.merge_pointers(*sides, merge_directory=lambda *_: found)
    assert merged.conflicts == [Conflict("data/x.png", "1", "2", "3")]


def test_a_file_that_both_sides_changed_is_a_conflict_with_all_three():
    merged = merging.merge_pointers(*(pointer(letter * 32) for letter in "eab"))
    (conflict,) = merged.conflicts
    assert [side["md5"][0] for side in (conflict.base, conflict.ours, conflict.theirs)] == ["e", "a", "b"]


def test_comments_stay_and_one_sided_changes_keep_their_bytes():
    base, ours = pointer("e" * 32, head="# raw data\n"), pointer("a" * 32, head="# raw   data\n")
    assert merging.merge_pointers(base, ours, base).data == ours
    described = pointer("e" * 32, head="# raw data\n", more="desc: mine\n")
    assert b"# raw data" in merging.merge_pointers(base, ours, described).data
    assert b"desc: mine" in merging.merge_pointers(base, ours, described).data


# ---- dvc.lock ----------------------------------------------------------------------------------
def lock(**stages: tuple[str, str]) -> bytes:
    """name → (its input, its output), each by a letter."""
    lines = ["schema: '2.0'", "stages:"]
    for name, (dep, out) in stages.items():
        lines += [f"  {name}:", f"    cmd: run {name}", "    deps:", f"    - path: in-{name}", "      hash: md5"]
        lines += [
            f"      md5: {md5('dep' + dep)}",
            "      size: 1",
            "    outs:",
            f"    - path: out-{name}",
            "      hash: md5",
        ]
        lines += [f"      md5: {md5('out' + out)}", "      size: 1"]
    return ("\n".join(lines) + "\n").encode()


def test_stages_of_both_sides_go_together():
    merged = merging.merge_lock(lock(a=("1", "2")), lock(a=("1", "2"), c=("3", "4")), lock(a=("5", "6"), b=("7", "8")))
    assert merged.data == lock(a=("5", "6"), b=("7", "8"), c=("3", "4"))
    assert merged.needs_repro == []


def test_a_stage_whose_inputs_changed_on_both_sides_needs_repro_and_no_output_is_invented():
    sides = lock(a=("1", "2")), lock(a=("3", "4")), lock(a=("5", "6"))
    for merged in (merging.merge_lock(*sides), merging.merge_lock(sides[0], sides[2], sides[1])):
        assert merged.data == sides[0]
        assert [c.where for c in merged.needs_repro] == ["a"]
    told = merging.merge_lock(*sides).needs_repro[0]
    assert told.ours["outs"][0]["md5"] == md5("out4")
    assert told.theirs["outs"][0]["md5"] == md5("out6")


def test_the_record_of_the_run_with_the_new_inputs_wins_over_a_mere_rerun():
    sides = lock(a=("1", "2")), lock(a=("3", "4")), lock(a=("1", "9"))
    assert merging.merge_lock(*sides).data == sides[1]
    assert merging.merge_lock(sides[0], sides[2], sides[1]).data == sides[1]


@pytest.mark.parametrize(
    "sides",
    [
        (lock(a=("1", "2")), lock(a=("1", "3")), lock(a=("1", "4"))),  # the same run, other outputs
        (lock(a=("1", "2")), lock(), lock(a=("3", "4"))),  # removed and changed
        (lock(), lock(a=("1", "2")), lock(a=("3", "4"))),  # added on both sides
    ],
)
def test_what_no_rule_decides_is_a_conflict(sides):
    assert [c.where for c in merging.merge_lock(*sides).conflicts] == ["a"]


@pytest.mark.parametrize("bad", [b"a: [", b"- 1\n", b"outs: 5\n", b"a: &x [1]\nb: *x\n", b"outs:\n- md5: x\n"])
def test_hostile_yaml_is_refused(bad):
    with pytest.raises(Malformed):
        merging.merge_pointers(pointer("e" * 32), bad, pointer("a" * 32))


# ---- DVC itself as the judge -------------------------------------------------------------------
def dvc(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)


def test_the_merge_has_the_very_bytes_that_dvc_writes_for_the_same_files(tmp_path):
    """Three states of a folder added with dvc; then the merged state, added too: pointer and manifest are equal."""
    dvc(tmp_path, "init", "--no-scm", "--quiet")
    states = [
        {"a": "1", "b": "2", "deep/ü c": "3"},
        {"a": "ours", "b": "2", "deep/ü c": "3", "new": "x"},
        {"b": "2", "a": "1", "other": "y"},
        {"a": "ours", "b": "2", "new": "x", "other": "y"},
    ]
    pointers, lists = [], []
    for state in states:
        folder = tmp_path / "data"
        subprocess.run(["rm", "-rf", str(folder)], check=True)
        for path, text in state.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        dvc(tmp_path, "add", "--quiet", "data")
        pointers.append((tmp_path / "data.dvc").read_bytes())
        (oid,) = [line.split()[-1] for line in pointers[-1].decode().splitlines() if ".dir" in line]
        lists.append((tmp_path / ".dvc/cache/files/md5" / oid[:2] / oid[2:]).read_bytes())
    merged = merge_folders(*lists[:3])
    assert merged.data == lists[3]
    size = sum(len(text) for text in states[3].values())
    made = merging.merge_pointers(*pointers[:3], merge_directory=lambda *_: Directory(merged.oid, size, 4))
    assert made.data == pointers[3]
