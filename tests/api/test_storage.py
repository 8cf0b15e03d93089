"""DagsHub's storage calls: the repository's own bucket, listed in pages and read."""

from __future__ import annotations

import pytest

from repos.models import Repository
from tests.support import s3
from tests.support.asgi import ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]
BASE = "/api/v1/repos/alice/private/storage"
FILES = {"a.txt": b"1", "d/x y.csv": b"22", "d/e/z": b"333", "ü/1": b"4"}


@pytest.fixture
def filled(bob, private, token_of) -> dict[str, str]:
    token = token_of(bob)
    for path, data in FILES.items():
        quoted = path.replace(" ", "%20").replace("ü", "%C3%BC")
        assert s3.call("PUT", f"/alice/private.s3/private/{quoted}", token, body=data).status == 200
    return {"authorization": f"Bearer {token}"}


def test_the_bucket_is_listed(api, bob, filled):
    (bucket,) = api(bob, scopes=["repo:read"]).get(BASE).json()
    assert (bucket["name"], bucket["protocol"]) == ("private", "s3")
    assert bucket["list_path"].endswith("/api/v1/repos/alice/private/storage/content/s3/private")


def test_the_data_engine_says_that_there_is_none(api, bob, charlie, filled):
    asked = {"query": "query { datasource { id } }", "variables": {}}
    answer = api(bob).post("/api/v1/repos/alice/private/data-engine/graphql", asked, format="json")
    assert answer.status_code == 200
    assert "no Data Engine" in answer.json()["errors"][0]["message"]
    assert api(charlie).post("/api/v1/repos/alice/private/data-engine/graphql", asked, format="json").status_code == 404


def test_a_folder_has_files_and_folders(api, bob, filled):
    page = api(bob).get(f"{BASE}/content/s3/private/?paging=true").json()
    assert page["next_token"] is None
    told = [(e["path"], e["type"], e["size"], e["versioning"]) for e in page["entries"]]
    assert told == [
        ("s3/private/a.txt", "file", 1, "bucket"),
        ("s3/private/d", "dir", 0, "bucket"),
        ("s3/private/ü", "dir", 0, "bucket"),
    ]
    for path in ("d", "d/"):
        inner = api(bob).get(f"{BASE}/content/s3/private/{path}").json()["entries"]
        assert [e["path"] for e in inner] == ["s3/private/d/e", "s3/private/d/x y.csv"]


def test_a_file_is_its_own_entry(api, bob, filled):
    entry = api(bob).get(f"{BASE}/content/s3/private/d/x%20y.csv").json()
    assert (entry["type"], entry["size"]) == ("file", 2)
    assert entry["download_url"].endswith("/storage/raw/s3/private/d/x%20y.csv")


def test_pages_end(api, bob, filled):
    found, token = [], None
    for _ in range(5):
        more = f"&from_token={token}" if token else ""
        page = api(bob).get(f"{BASE}/content/s3/private?paging=true&limit=1{more}").json()
        assert len(page["entries"]) == 1
        found += [e["path"] for e in page["entries"]]
        token = page["next_token"]
        if token is None:
            break
    assert found == ["s3/private/a.txt", "s3/private/d", "s3/private/ü"]


def test_bytes(filled):
    for path, data in FILES.items():
        quoted = path.replace(" ", "%20").replace("ü", "%C3%BC")
        answer = ask("GET", f"{BASE}/raw/s3/private/{quoted}", headers=filled)
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers["content-disposition"] == "attachment"
    part = ask("GET", f"{BASE}/raw/s3/private/d/e/z", headers=filled | {"range": "bytes=1-1"})
    assert (part.status, part.body) == (206, b"3")


@pytest.mark.parametrize("path", ["s3/other/a.txt", "gs/private/a.txt", "s3/private/absent", "s3", "s3/private/%FF"])
def test_what_is_not_there(api, bob, filled, path):
    assert api(bob).get(f"{BASE}/content/{path}").status_code in {400, 404}
    answer = ask("GET", f"{BASE}/raw/{path}", headers=filled)
    assert answer.status in {400, 404}
    assert answer.headers["content-type"] == "application/json"


def test_an_empty_bucket_is_there(api, alice, public: Repository):
    page = api(alice).get("/api/v1/repos/alice/public/storage/content/s3/public").json()
    assert (page["entries"], page["next_token"]) == ([], None)


@pytest.mark.parametrize("path", ["", "/content/s3/private/a.txt", "/raw/s3/private/a.txt"])
def test_who_may(api, bob, charlie, filled, token_of, path):
    def status(user, base=BASE, **options) -> tuple[int, bytes]:
        headers = {"authorization": f"Bearer {token_of(user, **options)}"} if user else {}
        if path.startswith("/raw"):
            answer = ask("GET", base + path, headers=headers)
            return answer.status, b"" if answer.status == 401 else answer.body
        answer = api(user, **options).get(base + path) if user else api().get(base + path)
        return answer.status_code, b"" if answer.status_code == 401 else answer.content

    assert status(bob)[0] == 200
    missing = BASE.replace("private", "missing", 1)
    assert status(charlie) == status(charlie, missing)
    assert status(charlie)[0] == 404
    assert status(None)[0] == status(None, missing)[0] == 401
    if path:
        assert status(bob, scopes=["repo:write"])[0] == 403


def test_other_methods_are_405(api, bob, filled):
    for path in ("", "/content/s3/private/a.txt"):
        assert api(bob).post(f"{BASE}{path}", {}, format="json").status_code == 405
    assert ask("DELETE", f"{BASE}/raw/s3/private/a.txt", headers=filled).status in {404, 405}
