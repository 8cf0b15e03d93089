"""Tracked data in the file tree: outputs, files inside of them, sizes, presence."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from datasets.dvc import manifests
from datasets.tracked.contents import DvcSource
from datasets.tracked.tracking import tracked
from repos import content

pytestmark = pytest.mark.django_db
source = DvcSource()


def pointer(oid: str, path: str, *, size: int | None = None, legacy: bool = False) -> str:
    lines = ["outs:", f"- md5: {oid}", f"  path: '{path}'"]
    lines += [] if legacy else ["  hash: md5"]
    lines += [f"  size: {size}"] if size is not None else []
    return "\n".join(lines) + "\n"


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.fixture
def project(private, writer, keep):
    """alice/private: data.csv and old.csv pushed, images/ with one of two files pushed, lost.bin never pushed."""
    made = writer(private)
    csv = keep(private, b"a,b\n1,2\n")
    old = keep(private, b"old", legacy=True)
    cat = keep(private, b"cat")
    images = keep(private, manifests.dumps([("cats/1.png", cat), ("dogs/1.png", md5(b"dog"))]), suffix=".dir")
    made.commit(
        {
            "data.csv.dvc": pointer(csv, "data.csv", size=8),
            "raw/old.csv.dvc": pointer(old, "old.csv", legacy=True),
            "images.dvc": pointer(images, "images"),
            "lost.bin.dvc": pointer("0" * 32, "lost.bin", size=77),
            "pipeline/dvc.lock": f"schema: '2.0'\nstages:\n  train:\n    cmd: x\n    outs:\n"
            f"    - path: out/model.pkl\n      hash: md5\n      md5: {csv}\n"
            f"    - path: metrics.json\n      md5: {csv}\n",
            "pipeline/metrics.json": "{}",
        }
    )
    return made


def listed(project, directory: str) -> dict[str, tuple]:
    found = source.listing(project.repository, project.tips["main"], directory)
    return {e.path: (e.kind, e.size, e.present, e.pointer) for e in found}


def test_the_source_is_registered():
    assert any(isinstance(found, DvcSource) for found in content.sources())


def test_it_lists_outputs_with_size_and_presence(project):
    assert listed(project, "") == {
        "data.csv": ("file", 8, True, "data.csv.dvc"),
        "images": ("dir", None, True, "images.dvc"),
        "lost.bin": ("file", 77, False, "lost.bin.dvc"),
    }
    assert listed(project, "raw") == {"raw/old.csv": ("file", 3, True, "raw/old.csv.dvc")}


def test_it_lists_folders_that_only_lead_to_outputs(project):
    assert listed(project, "pipeline") == {"pipeline/out": ("dir", None, True, "")}  # metrics.json is git's own
    assert listed(project, "pipeline/out") == {"pipeline/out/model.pkl": ("file", 8, True, "pipeline/dvc.lock")}


def test_it_lists_files_inside_of_an_output(project):
    assert listed(project, "images") == {
        "images/cats": ("dir", None, True, "images.dvc"),
        "images/dogs": ("dir", None, True, "images.dvc"),
    }
    assert listed(project, "images/cats") == {"images/cats/1.png": ("file", 3, True, "images.dvc")}
    assert listed(project, "images/dogs") == {"images/dogs/1.png": ("file", None, False, "images.dvc")}
    assert listed(project, "images/none") == {}


@pytest.mark.parametrize(
    ("path", "kind", "present"),
    [
        ("data.csv", "file", True),
        ("images", "dir", True),
        ("images/cats", "dir", True),
        ("images/cats/1.png", "file", True),
        ("images/dogs/1.png", "file", False),
        ("lost.bin", "file", False),
        ("pipeline/out", "dir", True),
    ],
)
def test_it_knows_a_path(project, path, kind, present):
    entry = source.stat(project.repository, project.tips["main"], path)
    assert entry is not None
    assert (entry.path, entry.kind, entry.present, entry.versioning) == (path, kind, present, "dvc")


@pytest.mark.parametrize(
    "path", ["", "none", "data.csv/x", "images/cats/2.png", "data.csv.dvc", "../data.csv", "pipeline/metrics.json"]
)
def test_it_knows_nothing_of_other_paths(project, path):
    assert source.stat(project.repository, project.tips["main"], path) is None
    assert source.open(project.repository, project.tips["main"], path) is None


@pytest.mark.parametrize(
    ("path", "data"), [("data.csv", b"a,b\n1,2\n"), ("images/cats/1.png", b"cat"), ("raw/old.csv", b"old")]
)
def test_it_opens_what_is_present(project, path, data):
    opened = source.open(project.repository, project.tips["main"], path)
    assert opened is not None

    async def read(start: int, end: int) -> bytes:
        return b"".join([piece async for piece in opened.read(start, end)])

    assert asyncio.run(read(0, opened.size)) == data
    assert asyncio.run(read(1, 3)) == data[1:3]
    assert opened.head(2) == data[:2]


def test_it_opens_nothing_that_was_not_pushed(project):
    for path in ("lost.bin", "images/dogs/1.png", "images", "images/cats"):
        assert source.open(project.repository, project.tips["main"], path) is None


def test_other_repositories_bytes_are_not_present(project, public, writer):
    """The same pointers in a repository that never pushed the bytes give nothing away."""
    other = writer(public)
    other.commit({"data.csv.dvc": pointer(md5(b"a,b\n1,2\n"), "data.csv")})
    assert listed(other, "") == {"data.csv": ("file", None, False, "data.csv.dvc")}
    assert source.open(public, other.tips["main"], "data.csv") is None


def test_hostile_pointers_add_nothing(private, writer, keep):
    oid = keep(private, b"x")
    made = writer(private)
    made.commit(
        {
            "a.dvc": pointer(oid, "../../etc/passwd"),
            "b.dvc": pointer(oid, "/etc/passwd"),
            "c.dvc": pointer(oid, ".git/config"),
            "d.dvc": pointer(oid, "README.md"),
            "e.dvc": pointer(oid, "src"),
            "f.dvc": pointer(oid, "README.md/x"),
            "g.dvc": "a: &a [*a]",
            "h.dvc": "[" * 50_000,
            "link.dvc": ("120000", "/etc/passwd"),
            "README.md": "git's",
            "src/x.py": "git's",
        }
    )
    found = tracked(private, made.tips["main"])
    assert found.outputs == {}
    assert set(found.problems) == {"g.dvc", "h.dvc"}


def test_an_output_inside_of_an_output_is_dropped(private, writer):
    made = writer(private)
    made.commit(
        {
            "data.dvc": pointer("1" * 32 + ".dir", "data"),
            "x/dvc.lock": "a:\n  outs:\n  - {path: ../data/y, md5: " + "2" * 32 + "}\n",
        }
    )
    assert list(tracked(private, made.tips["main"]).outputs) == ["data"]


def test_a_listing_needs_one_query_for_sizes(project, django_assert_num_queries):
    listed(project, "")
    with django_assert_num_queries(1):
        assert len(listed(project, "")) == 3
    with django_assert_num_queries(2):  # the manifest's row, then the sizes
        listed(project, "images/cats")


def test_a_bad_manifest_is_an_empty_folder(private, writer, keep):
    oid = keep(private, b"not json", suffix=".dir")
    made = writer(private)
    made.commit({"data.dvc": pointer(oid, "data")})
    assert listed(made, "data") == {}
    entry = source.stat(private, made.tips["main"], "data")
    assert entry is not None
    assert entry.is_dir


def test_a_pointer_is_parsed_once_for_all_commits(project, monkeypatch):
    from datasets.dvc import pointers

    listed(project, "")
    read = []
    real = pointers.outs_of
    monkeypatch.setattr(pointers, "outs_of", lambda data, **o: read.append(data) or real(data, **o))
    project.commit({"new.dvc": pointer("3" * 32, "new")})
    assert "new" in listed(project, "")
    assert len(read) == 1


@pytest.mark.parametrize("directory", ["", "images", "pipeline", "pipeline/out", "none"])
def test_pages_of_a_listing_make_up_the_whole(project, directory):
    commit = project.tips["main"]
    whole = list(source.listing(project.repository, commit, directory))
    assert source.count(project.repository, commit, directory) == len(whole)
    paged = [e for n in range(4) for e in source.listing(project.repository, commit, directory, start=n, limit=1)]
    assert paged == whole


def test_a_folder_of_data_is_paged_on_its_page(private, writer, keep, as_user, bob, monkeypatch):
    monkeypatch.setattr("repos.browsing.ENTRIES_PER_PAGE", 3)
    oid = keep(private, manifests.dumps((f"f{n}.txt", md5(b"%d" % n)) for n in range(7)), suffix=".dir")
    writer(private).commit({"data.dvc": pointer(oid, "data")})
    pages = [as_user(bob).get(f"/alice/private/tree/main/data?page={n}") for n in (1, 2, 3)]
    shown = [[n for n in range(7) if f"f{n}.txt" in page.content.decode()] for page in pages]
    assert shown == [[0, 1, 2], [3, 4, 5], [6]]
    assert as_user(bob).get("/alice/private/tree/main/data?page=4").status_code == 404
