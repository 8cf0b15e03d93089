"""Branches, tags, commits and content, as DagsHub's client reads them."""

from __future__ import annotations

import json

import pytest
from django.conf import settings

from hub.accounts.actor import Actor
from repos import repositories
from repos.git import commands, creation
from repos.git.store import ZERO, RefChange, move_refs
from repos.models import Repository
from repos.storage import store
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db
LAB = "/api/v1/repos/alice/lab"
FILES = {"README.md": b"# lab\n", "data/a.csv": b"x,y\n1,2\n", "data/deep/b.txt": b"b", "a b/c#d?.txt": b"odd"}


@pytest.fixture
def lab(alice) -> Repository:
    """alice/lab, private, with branches main and feature/x and a branch named like an id."""
    made = repositories.create(Actor(user=alice, session=True), alice.owner, "lab")
    path = store().open_for_write(made.pk)
    for branch in ("main", "feature/x", "feed1"):
        commit = creation.first_commit(
            path, files=FILES, author="Ann <ann@example.org>", message=f"On {branch}\n\nWhy."
        )
        move_refs(path, [RefChange(f"refs/heads/{branch}", ZERO, commit)])
    Repository.objects.filter(pk=made.pk).update(empty=False, ref_generation=1)
    return made


@pytest.fixture
def client_(api, alice, lab):
    return api(alice)


def test_a_branch_with_slashes_is_found_unescaped(client_):
    body = client_.get(f"{LAB}/branches/feature/x").json()
    assert body["name"] == "feature/x"
    commit = body["commit"]
    assert commit["message"] == "On feature/x\n\nWhy."
    assert commit["author"] == {"name": "Ann", "email": "ann@example.org", "username": ""}
    assert len(commit["id"]) == 40
    assert commit["timestamp"]


@pytest.mark.parametrize(
    "ref", ["feature", "nowhere", "a..b", "-x", "main/x", "refs/heads/main", "main~1", "@{-1}", "HEAD"]
)
def test_what_is_no_branch_is_404(client_, ref):
    answer = client_.get(f"{LAB}/branches/{ref}")
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_any_ref_names_a_commit(client_):
    """The client asks /commits for every name of hexadecimal digits, branches included."""
    branch = client_.get(f"{LAB}/branches/feed1").json()["commit"]
    for ref in ("feed1", branch["id"], branch["id"][:10]):
        assert client_.get(f"{LAB}/commits/{ref}").json() == {"commit": branch}
    assert client_.get(f"{LAB}/commits/{'0' * 40}").status_code == 404


def test_lists_are_paged(client_):
    first = client_.get(f"{LAB}/branches?limit=2")
    assert len(first.json()) == 2
    assert 'rel="next"' in first["Link"]
    assert len(client_.get(f"{LAB}/branches?limit=2&page=2").json()) == 1
    commits = client_.get(f"{LAB}/commits?limit=1&sha=feature/x&path=data")
    assert [commit["message"] for commit in commits.json()] == ["On feature/x\n\nWhy."]
    assert client_.get(f"{LAB}/commits?sha=nowhere").status_code == 404
    assert client_.get(f"{LAB}/commits?after=nonsense").status_code == 404


def test_branches_and_tags_are_made_and_deleted(client_):
    made = client_.post(f"{LAB}/branches", {"name": "dev/y", "ref": "feature/x"}, format="json")
    assert made.status_code == 201
    assert client_.get(f"{LAB}/branches/dev/y").json() == made.json()
    assert client_.post(f"{LAB}/branches", {"name": "dev/y"}, format="json").status_code == 409
    assert client_.delete(f"{LAB}/branches/dev/y").status_code == 204
    assert client_.get(f"{LAB}/branches/dev/y").status_code == 404
    assert client_.post(f"{LAB}/tags", {"name": "v1"}, format="json").status_code == 201
    assert [row["name"] for row in client_.get(f"{LAB}/tags").json()] == ["v1"]
    assert client_.delete(f"{LAB}/tags/v1").status_code == 204


def test_a_branch_below_another_says_which(client_):
    for name, other in (("main/x", "main"), ("feature", "feature/x")):
        answer = client_.post(f"{LAB}/branches", {"name": name}, format="json")
        assert answer.status_code == 409
        assert answer.json()["error"] == f"'{name}' cannot be made while there is '{other}'."


@pytest.mark.parametrize(
    "name", ["y" * 251, "--upload-pack=x", "a..b", "a b", "x.lock", "@", "", "a/", "\x00", "f" * 40]
)
def test_bad_ref_names_are_refused(client_, name):
    """security.md row 4."""
    assert client_.post(f"{LAB}/branches", {"name": name}, format="json").status_code in {400, 422}


def test_a_directory_is_an_array_and_a_file_an_object(client_):
    root = client_.get(f"{LAB}/content/main/").json()
    assert [(e["path"], e["type"]) for e in root] == [("README.md", "file"), ("a b", "dir"), ("data", "dir")]
    inner = client_.get(f"{LAB}/content/feature/x/data?include_size=true").json()
    assert [(e["path"], e["type"], e["size"]) for e in inner] == [("data/a.csv", "file", 8), ("data/deep", "dir", 0)]
    file = client_.get(f"{LAB}/content/main/data/a.csv").json()
    assert (file["versioning"], file["size"]) == ("git", 8)
    assert len(file["hash"]) == 40
    assert file["download_url"].endswith("/api/v1/repos/alice/lab/raw/main/data/a.csv")
    assert all(value is not None for value in file.values())


@pytest.mark.django_db(transaction=True)
def test_names_of_any_bytes_are_found_where_the_listing_says(alice, lab, token_of):
    path = store().open_for_write(lab.pk)
    stream = b"commit refs/heads/odd\ncommitter A <a@example.org> 0 +0000\ndata 1\nx\n"
    for name in (rb'"new\nline.txt"', rb'"inv\377.txt"'):
        stream += b"M 100644 inline " + name + b"\ndata 3\nodd\n"
    commands.run(path, "fast-import", "--quiet", stdin=stream)
    credential = basic(token_of(alice))
    listing = json.loads(ask("GET", f"{LAB}/content/odd/", headers=credential).body)
    assert len(listing) == 2
    for entry in listing:
        for address in (entry["content_url"], entry["download_url"]):
            answer = ask("GET", address.removeprefix(settings.COVEY_URL), headers=credential)
            assert answer.status == 200, address
            assert answer.body == b"odd" or json.loads(answer.body) == entry


def test_contents_is_the_same_as_content(client_):
    assert client_.get(f"{LAB}/contents/main/data").json() == client_.get(f"{LAB}/content/main/data").json()


def test_escaped_slashes_and_odd_names_work(client_):
    assert client_.get(f"{LAB}/content/main/data%2Fdeep").json()[0]["path"] == "data/deep/b.txt"
    odd = client_.get(f"{LAB}/content/main/a%20b/").json()[0]
    assert odd["path"] == "a b/c#d?.txt"
    assert odd["download_url"].endswith("/raw/main/a%20b/c%23d%3F.txt")


@pytest.mark.parametrize(
    "rest", ["main/nowhere", "nowhere/", "main/../x", "main/data/a.csv/b", "main/.git/config", "main//etc", "-x/y"]
)
def test_what_is_not_there_is_404(client_, rest):
    assert client_.get(f"{LAB}/content/{rest}").status_code == 404


def test_a_reader_that_has_it_is_told_so(client_):
    first = client_.get(f"{LAB}/content/main/data")
    again = client_.get(f"{LAB}/content/main/data", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client_.get(f"{LAB}/content/main/", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_an_empty_repository_has_nothing_yet(api, alice):
    repositories.create(Actor(user=alice, session=True), alice.owner, "bare")
    client = api(alice)
    base = "/api/v1/repos/alice/bare"
    assert client.get(base).json()["default_branch"] == "main"
    assert client.get(f"{base}/branches").json() == client.get(f"{base}/tags").json() == []
    assert client.get(f"{base}/commits").json() == []
    for path in ("branches/main", "commits/main", "content/main/"):
        assert client.get(f"{base}/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", ["branches", "branches/main", "tags", "commits", "commits/main", "content/main/", "storage"]
)
def test_strangers_learn_nothing(api, lab, charlie, path):
    hidden, absent = api(charlie).get(f"{LAB}/{path}"), api(charlie).get(f"/api/v1/repos/alice/gone/{path}")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    assert api().get(f"{LAB}/{path}").status_code == 401


@pytest.mark.parametrize("path", ["branches/main", "commits", "commits/main", "content/main/", "storage"])
def test_other_methods_are_405(client_, path):
    assert client_.post(f"{LAB}/{path}", {}, format="json").status_code == 405


def test_readers_make_and_delete_no_refs(api, lab, bob):
    Repository.objects.update(private=False)
    for method, path in (("post", "branches"), ("post", "tags"), ("delete", "branches/main")):
        assert getattr(api(bob), method)(f"{LAB}/{path}", {"name": "x"}, format="json").status_code == 403


def test_an_archive_of_any_ref(hub_reads):
    names = hub_reads(f"{LAB}/archive/feature/x.tar.gz")
    assert "lab-feature-x/data/a.csv" in names


def test_archives_are_zip_or_tar_gz(client_, api, lab, charlie):
    assert client_.get(f"{LAB}/archive/main.rar").status_code == 404
    assert client_.get(f"{LAB}/archive/nowhere.zip").status_code == 404
    assert client_.post(f"{LAB}/archive/main.zip").status_code == 405
    assert api(charlie).get(f"{LAB}/archive/main.zip").status_code == 404
    assert api().get(f"{LAB}/archive/main.zip").status_code == 401


@pytest.fixture
def hub_reads(client_):
    """The names in a tar.gz that the API streams."""

    def names(url: str) -> list[str]:
        import asyncio
        import io
        import tarfile

        answer = client_.get(url)

        async def whole() -> bytes:
            return b"".join([piece async for piece in answer.streaming_content])

        return tarfile.open(fileobj=io.BytesIO(asyncio.run(whole()))).getnames()

    return names
