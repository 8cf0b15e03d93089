"""What .dvc and dvc.lock say, also when strangers wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.dvc import documents, keys, pointers
from datasets.dvc.pointers import File, Malformed, Out

MD5 = "d3b07384d113edec49eaa6238ad5ff00"


def outs(text: str, *, lock: bool = False) -> tuple[Out, ...]:
    return pointers.outs_of(text.encode(), lock=lock)


def test_it_reads_a_file_of_dvc_3():
    text = f"outs:\n- md5: {MD5}\n  size: 1234\n  hash: md5\n  path: data.csv\n"
    assert outs(text) == (Out("data.csv", MD5, size=1234),)


def test_it_reads_a_directory():
    (out,) = outs(f"outs:\n- md5: {MD5}.dir\n  size: 9\n  nfiles: 3\n  hash: md5\n  path: images\n")
    assert out.is_dir
    assert (out.nfiles, out.key) == (3, f"files/md5/d3/{MD5[2:]}.dir")


def test_a_file_without_hash_is_legacy():
    (out,) = outs(f"outs:\n- md5: {MD5}\n  path: old.csv\n")
    assert (out.legacy, out.key) == (True, f"d3/{MD5[2:]}")


def test_an_md5_of_digits_stays_text():
    (out,) = outs("outs:\n- md5: 00000000000000000000000000000012\n  path: x\n  hash: md5\n")
    assert out.oid == "00000000000000000000000000000012"


def test_it_reads_a_lock_file():
    text = f"""
schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - path: data.csv
      md5: {MD5}
    outs:
    - path: model.pkl
      hash: md5
      md5: {MD5}
      size: 5
  empty:
    cmd: true
"""
    assert outs(text, lock=True) == (Out("model.pkl", MD5, size=5, stage="train"),)


def test_it_reads_a_lock_file_of_the_first_schema():
    text = f"train:\n  cmd: x\n  outs:\n  - path: model.pkl\n    md5: {MD5}\n"
    assert [out.path for out in outs(text, lock=True)] == ["model.pkl"]


def test_it_reads_files_listed_in_the_pointer():
    text = f"""
outs:
- path: data
  files:
  - relpath: a/b.txt
    md5: {MD5}
    size: 3
    cloud: {{s3: {{etag: {MD5}, version_id: v}}}}
  - relpath: ../../etc/passwd
    md5: {MD5}
"""
    (out,) = outs(text)
    assert out.files == (File("a/b.txt", MD5, 3),)
    assert out.is_dir


def test_a_working_directory_moves_the_output():
    (out,) = outs(f"wdir: ../raw\nouts:\n- path: x.csv\n  md5: {MD5}\n  hash: md5\n")
    found = pointers.placed(out, "data/pointers")
    assert found is not None
    assert found.path == "data/raw/x.csv"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "../../../x",
        "..",
        ".",
        "s3://bucket/x",
        "remote://r/x",
        "~/x",
        "C:/x",
        "C:\\x",
        "a\\..\\x",
        ".git/config",
        "a/.GIT/hooks/x",
        ".dvc/config",
        "a\0b",
        "a\nb",
        "x" * 5000,
    ],
)
def test_it_ignores_hostile_paths(path):
    assert pointers.placed(Out(path, MD5), "") is None
    found = pointers.placed(Out(path, MD5), "a/b")
    assert found is None or found.path in {"a/x", "x", "a", "a/b"}  # climbing is fine while it stays inside


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b"{" * 100_000,
        b"- " * 50_000,
        b"a: &a [x]\nb: *a",
        b"outs: &o [*o]",
        b"\xff\xfe\x00",
        b"a: b: c",
        b"- just\n- a list",
        b"!!python/object/apply:os.system [id]\n: x\n- y",
        b"x" * (documents.MAX_BYTES + 1),
    ],
)
def test_it_refuses_bombs_and_nonsense(data):
    with pytest.raises(Malformed):
        pointers.outs_of(data, lock=False)


def test_tags_are_only_text():
    assert pointers.outs_of(b"outs: !!python/object/apply:os.system [id]", lock=False) == ()


@pytest.mark.parametrize("text", ["", "{}", "outs:", "outs: 3", "outs: [3, null, {}]", "outs: [{path: [x]}]"])
def test_it_finds_nothing_in_odd_shapes(text):
    assert outs(text) == ()
    assert outs(text, lock=True) == ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.dvc", True),
        ("x/dvc.lock", True),
        (".dvc", False),
        ("x/.dvc", False),
        ("a.dvc/b", False),
        ("dvc.yaml", False),
    ],
)
def test_pointers_by_name(path, expected):
    assert pointers.is_pointer(path) is expected


yaml_like = st.recursive(
    st.none() | st.text(max_size=20) | st.integers() | st.sampled_from([MD5, f"{MD5}.dir", "path", "../..", "/x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["outs", "stages", "schema", "md5", "path", "wdir", "files", "relpath", "cloud", "etag", "size"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(yaml_like, st.booleans())
def test_any_document_gives_safe_paths(document, lock):
    import yaml

    check(yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass"), lock)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="outs:[]{}-&*! \n'\"md5path/.", max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    check(data, False)


def check(data: bytes, lock: bool) -> None:
    try:
        found = pointers.outs_of(data, lock=lock)
    except Malformed:
        return
    for out in found:
        assert out.oid == "" or keys.is_oid(out.oid)
        placed = pointers.placed(out, "a/b")
        if placed:
            parts = placed.path.split("/")
            assert parts[0]
            assert not {"..", ".", "", ".git", ".dvc"} & set(parts)
