"""Ten trees that name each other are ten thousand million files: pages say so at once, and no process holds them."""

from __future__ import annotations

import pytest
from dulwich.objects import Blob, Tree
from dulwich.repo import Repo

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


@pytest.fixture
def bomb(private, writer):
    made = writer(private)
    made.commit({"README.md": "# Hello"})
    made.bomb("bomb")


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("tree/bomb", 200),
        ("tree/bomb/f0/f1", 200),
        ("tree-commits/bomb", 200),
        ("archive/bomb.zip", 413),
        ("archive/bomb.tar.gz", 413),
        ("data/bomb", 413),
        ("pipelines/bomb", 413),
        ("find/bomb", 413),
        ("blob/bomb/" + "/".join(["f0"] * 10), 200),
    ],
)
def test_a_page_of_it_is_shown_or_refused(bomb, alice, as_user, page, status):
    client = as_user(alice)
    for _ in range(2):  # the second time from the cache
        answer = client.get(f"{BASE}/{page}")
        assert answer.status_code == status
    if status == 413 and not page.startswith("find"):
        assert b"more than 500,000 files" in answer.content


def test_the_api_refuses_it_too(bomb, alice, as_user):
    for path in ("content/bomb", "archive/bomb.zip", "pipelines/bomb"):
        assert as_user(alice).get(f"/api/v1/repos{BASE}/{path}").status_code in {401, 413}


@pytest.mark.parametrize("page", ["tree", "blob", "blame"])
def test_a_path_of_very_many_folders_fits_its_page(private, writer, alice, as_user, page):
    """Each folder above is a link that holds all before it: 20,000 of them were a page of 400 MB."""
    depth = 600
    _deep(writer(private), depth + 1)
    path = "/".join(["a"] * depth)
    answer = as_user(alice).get(f"{BASE}/{page}/deep/{path}" + ("" if page == "tree" else "/x.txt"))
    assert (answer.status_code, "…" in answer.content.decode()) == (200, True)
    assert len(answer.content) < 200_000


def test_what_overflows_the_stack_of_git_is_told(private, writer, alice, as_user):
    """git 2.39 dies of 20,000 folders in each other."""
    made, client = writer(private), as_user(alice)
    made.git("update-ref", "refs/heads/main", made.commit({"a.txt": "a"}))
    _deep(made, 25_000, "-p", "main")
    for page in ("compare/main...deep", "archive/deep.zip", "data/deep", "find/deep"):
        answer = client.get(f"{BASE}/{page}")
        assert answer.status_code in {200, 413}, page
        assert answer.status_code == 200 or b"levels deep" in answer.content


def _deep(made, depth, *parent):
    """A branch "deep" with one file in so many folders, as one pack: by itself each tree would be a file on disk."""
    blob = Blob.from_string(b"x")
    objects, name, mode, oid = [(blob, None)], b"x.txt", 0o100644, blob.id
    for _ in range(depth):
        tree = Tree()
        tree.add(name, mode, oid)
        objects.append((tree, None))
        name, mode, oid = b"a", 0o040000, tree.id
    with Repo(str(made.path)) as repo:
        repo.object_store.add_objects(objects)
    made.git("update-ref", "refs/heads/deep", made.git("commit-tree", *parent, "-m", "Deep", oid.decode()))
    made.moved()
