"""PUT /content/{branch}/{directory}: what git keeps, what DVC keeps, and everything that is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from datasets.models import StoredObject
from hub.accounts.actor import Actor
from hub.lib import stores
from repos import collaborators, repositories
from repos.git.store import refs
from repos.models import Access, Repository
from repos.repositories import Start
from repos.storage import store
from tests.support.asgi import Answer, ask

pytestmark = pytest.mark.django_db(transaction=True)
LAB = "/api/v1/repos/alice/lab"


@pytest.fixture
def lab(alice, bob, tmp_path, settings):
    """alice/lab, private, with a README on main; bob may write."""
    settings.OBJECTS_ROOT, settings.COVEY_S3_ENDPOINT = tmp_path / "objects", ""
    settings.TMP_ROOT = tmp_path / "tmp"
    stores.object_store.cache_clear()
    actor = Actor(user=alice, session=True)
    made = repositories.create(actor, alice.owner, "lab", start=Start(readme=True))
    collaborators.put(actor, made, bob, Access.WRITE)
    yield made
    assert not list((tmp_path / "tmp").glob("*")), "an upload left its files behind"
    stores.object_store.cache_clear()


@pytest.fixture
def put(lab, alice, token_of):
    secret = token_of(alice)

    def send(
        where: str, files: dict[str, bytes], *, token: str = secret, repository: str = "lab", **fields: str
    ) -> Answer:
        body = form(files, fields)
        headers = {"content-type": "multipart/form-data; boundary=b0undary"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return ask(
            "PUT", f"/api/v1/repos/alice/{repository}/content/{where}", headers=headers, body=[body[:99], body[99:]]
        )

    return send


@pytest.fixture
def get(lab, alice, token_of):
    headers = {"authorization": f"Bearer {token_of(alice)}"}
    return lambda path: ask("GET", f"{LAB}/{path}", headers=headers)


def form(files: dict[str, bytes], fields: dict[str, str]) -> bytes:
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
    ]
    for name, data in files.items():
        head = f'--b0undary\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + b"--b0undary--\r\n"


def tip(lab: Repository, branch: str = "main") -> str:
    return refs(store().open_for_read(lab.pk), "refs/heads/").get(f"refs/heads/{branch}", "")


def said(answer: Answer) -> tuple[int, Any]:
    return answer.status, json.loads(answer.body)["error"]


# ---- git -----------------------------------------------------------------------------------------
def test_nested_names_make_one_commit(put, get, lab):
    answer = put("main/data%2Fraw", {"a.txt": b"1", "sub/deep/b.txt": b"2"}, versioning="git", commit_summary="Both")
    assert answer.status == 200
    assert answer.headers["etag"] == tip(lab)
    assert get("raw/main/data/raw/sub/deep/b.txt").body == b"2"
    assert json.loads(get("commits/main").body)["commit"]["message"] == "Both"


def test_the_same_again_is_204_and_no_commit(put, lab):
    put("main/", {"a.txt": b"1"}, versioning="git")
    before = tip(lab)
    assert put("main/", {"a.txt": b"1"}, versioning="git").status == 204
    assert tip(lab) == before


def test_a_change_needs_the_tip(put, get, lab):
    put("main/", {"a.txt": b"1"}, versioning="git")
    assert said(put("main/", {"a.txt": b"2"}, versioning="git")) == (409, "missing last_commit")
    assert said(put("main/", {"a.txt": b"2"}, versioning="git", last_commit="0" * 40)) == (409, "invalid last_commit")
    assert put("main/", {"a.txt": b"2"}, versioning="git", last_commit=tip(lab)).status == 200
    assert get("raw/main/a.txt").body == b"2"


def test_a_new_branch_begins_at_the_one_named(put, get, lab):
    fields = {"commit_choice": "commit-to-new-branch", "new_branch_name": "feature/x", "versioning": "git"}
    assert put("main/", {"a.txt": b"1"}, **fields).status == 200
    assert get("raw/feature/x/README.md").status == 200
    assert get("raw/main/a.txt").status == 404
    assert put("feature/x/in%2Fhere", {"b.txt": b"2"}, versioning="git").status == 200
    assert get("raw/feature/x/in/here/b.txt").body == b"2"
    assert put("feature/x/plain/way", {"c.txt": b"3"}, versioning="git").status == 200
    assert get("raw/feature/x/plain/way/c.txt").body == b"3"


def test_an_empty_repository_gets_its_root_commit(put, alice):
    """The client names the new branch after the default branch it was told of."""
    empty = repositories.create(Actor(user=alice, session=True), alice.owner, "empty")
    fields = {"commit_choice": "commit-to-new-branch", "new_branch_name": "main", "versioning": "git"}
    assert put("main/", {"a.txt": b"1"}, repository="empty", **fields).status == 200
    assert tip(empty)


def test_an_unknown_branch_is_404(put):
    assert put("nowhere/", {"a.txt": b"1"}, versioning="git").status == 404


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/passwd", ".git/config", "a/.GIT/hooks/x", "a//b", "", "a\\b", "git~1/x", "x/", "."],
)
def test_names_no_file_may_have_are_refused(put, lab, name):
    """security.md rows 1 to 3."""
    before = tip(lab)
    assert 400 <= put("main/", {name: b"1"}, versioning="git").status < 500
    assert tip(lab) == before


@pytest.mark.parametrize("where", ["main/..%2Foutside", "main/.git", "main/a%00b", "main/%2Fetc"])
def test_directories_no_tree_may_have_are_refused(put, lab, where):
    before = tip(lab)
    assert 400 <= put(where, {"a.txt": b"1"}, versioning="git").status < 500 or where == "main/%2Fetc"
    assert tip(lab) == before or where == "main/%2Fetc"


def test_a_file_is_no_folder(put):
    assert put("main/README.md", {"a.txt": b"1"}, versioning="git").status in {409, 422}


# ---- DVC -----------------------------------------------------------------------------------------
def test_auto_gives_text_to_git_and_the_rest_to_dvc(put, get, lab):
    assert put("main/data", {"a.txt": b"text", "b.bin": b"\0\1", "big.txt": b"x" * (1024 * 1024 + 1)}).status == 200
    kinds = {e["path"]: e["versioning"] for e in json.loads(get("content/main/data").body)}
    assert kinds["data/a.txt"] == "git"
    assert kinds["data/b.bin"] == kinds["data/big.txt"] == "dvc"
    assert get("raw/main/data/b.bin").body == b"\0\1"
    pointer = yaml.safe_load(get("raw/main/data/b.bin.dvc").body)
    assert pointer == {"outs": [{"md5": "441077cc9e57554dd476bdfb8b8b8102", "size": 2, "hash": "md5", "path": "b.bin"}]}
    assert get("raw/main/data/.gitignore").body == b"/b.bin\n/big.txt\n"


def test_a_dvc_file_is_replaced_only_with_the_tip(put, get, lab):
    put("main/", {"m.bin": b"\0one"}, versioning="dvc")
    assert put("main/", {"m.bin": b"\0one"}, versioning="dvc").status == 204
    assert said(put("main/", {"m.bin": b"\0two"}, versioning="dvc")) == (409, "missing last_commit")
    assert put("main/", {"m.bin": b"\0two"}, versioning="auto", last_commit=tip(lab)).status == 200
    assert get("raw/main/m.bin").body == b"\0two"


def test_batches_grow_the_same_directory(put, get, lab):
    for batch in ({"a.txt": b"a"}, {"sub/b.txt": b"bb"}, {"sub/b.txt": b"bb", "c.txt": b"ccc"}):
        assert put("main/data%2Fset", batch, versioning="dvc", is_dvc_dir="true").status == 200
    assert put("main/data%2Fset", {"a.txt": b"a"}, versioning="dvc", is_dvc_dir="true").status == 204
    out = yaml.safe_load(get("raw/main/data/set.dvc").body)["outs"][0]
    assert (out["nfiles"], out["size"], out["path"]) == (3, 6, "set")
    assert get("raw/main/data/set/sub/b.txt").body == b"bb"
    assert said(put("main/data%2Fset", {"a.txt": b"new"}, is_dvc_dir="true")) == (409, "missing last_commit")
    assert put("main/data%2Fset", {"a.txt": b"new"}, is_dvc_dir="true", last_commit=tip(lab)).status == 200
    out = yaml.safe_load(get("raw/main/data/set.dvc").body)["outs"][0]
    assert (out["nfiles"], out["size"]) == (3, 8)
    assert put("main/data%2Fset%2Fsub", {"d.txt": b"dddd"}).status == 200, "inside an output it is the output's"
    assert get("raw/main/data/set/sub/d.txt").body == b"dddd"


def test_what_git_keeps_stays_with_git(put):
    assert said(put("main/", {"README.md": b"x"}, versioning="dvc")) == (409, "versioning conflict")
    put("main/src", {"a.py": b"1"}, versioning="git")
    assert said(put("main/src", {"b.bin": b"1"}, versioning="dvc", is_dvc_dir="true")) == (409, "versioning conflict")
    put("main/", {"m.bin": b"\0"}, versioning="dvc")
    assert said(put("main/", {"m.bin": b"x"}, versioning="git")) == (409, "versioning conflict")
    assert said(put("main/", {"a.txt": b"x"}, versioning="dvc", is_dvc_dir="true")) == (409, "path conflict")


def test_what_a_pipeline_makes_is_not_uploaded(put):
    out = {"path": "model.bin", "md5": "441077cc9e57554dd476bdfb8b8b8102", "hash": "md5", "size": 2}
    lock = yaml.safe_dump({"schema": "2.0", "stages": {"train": {"cmd": "x", "outs": [out]}}})
    assert put("main/", {"dvc.lock": lock.encode()}, versioning="git").status == 200
    assert said(put("main/", {"model.bin": b"new"}, versioning="dvc")) == (409, "edit pipeline unsupported")


# ---- who may, and what is no upload --------------------------------------------------------------
def test_strangers_learn_nothing(put, charlie, token_of):
    hidden = put("main/", {"a.txt": b"1"}, token=token_of(charlie))
    absent = put("main/", {"a.txt": b"1"}, token=token_of(charlie), repository="gone")
    assert hidden.status == absent.status == 404
    assert hidden.body == absent.body
    nobody, nothing = (
        put("main/", {"a.txt": b"1"}, token=""),
        put("main/", {"a.txt": b"1"}, token="", repository="gone"),
    )
    assert nobody.status == nothing.status == 401
    assert nobody.body == nothing.body
    assert nobody.headers["www-authenticate"].startswith("Bearer")


def test_readers_and_small_tokens_may_not(put, lab, alice, charlie, token_of):
    collaborators.put(Actor(user=alice), lab, charlie, Access.READ)
    assert put("main/", {"a.txt": b"1"}, token=token_of(charlie)).status == 403
    assert put("main/", {"a.txt": b"1"}, token=token_of(alice, scopes=["repo:read", "data:write"])).status == 403
    code_only = token_of(alice, scopes=["repo:write"])
    assert put("main/", {"a.bin": b"\0"}, token=code_only, versioning="dvc").status == 403
    assert not StoredObject.objects.exists()
    assert put("main/", {"a.txt": b"1"}, token=code_only, versioning="git").status == 200


def test_broken_forms_are_400(lab, alice, token_of):
    headers = {"authorization": f"Bearer {token_of(alice)}"}
    multipart = headers | {"content-type": "multipart/form-data; boundary=b0undary"}
    whole = form({"a.txt": b"1"}, {})
    for body in (
        b"",
        b"junk",
        whole[:-9],
        whole[:40],
        form({}, {"versioning": "git"}),
        form({"a.txt": b"1"}, {"versioning": "svn"}),
    ):
        assert ask("PUT", f"{LAB}/content/main/", headers=multipart, body=[body]).status == 400
    assert (
        ask("PUT", f"{LAB}/content/main/", headers=headers | {"content-type": "text/plain"}, body=[whole]).status == 415
    )


def test_a_client_that_leaves_changes_nothing(lab, alice, token_of):
    headers = {"authorization": f"Bearer {token_of(alice)}", "content-type": "multipart/form-data; boundary=b0undary"}
    before = tip(lab)
    ask("PUT", f"{LAB}/content/main/", headers=headers, body=[form({"a.txt": b"1"}, {})[:60]], cut=True)
    assert tip(lab) == before


# ---- raw -----------------------------------------------------------------------------------------
def test_raw_has_ranges_and_tags(put, get, lab, alice, token_of):
    put("main/", {"a.txt": b"0123456789"}, versioning="git")
    headers = {"authorization": f"Bearer {token_of(alice)}"}
    part = ask("GET", f"{LAB}/raw/main/a.txt", headers=headers | {"range": "bytes=2-4"})
    assert (part.status, part.body) == (206, b"234")
    again = ask("GET", f"{LAB}/raw/main/a.txt", headers=headers | {"if-none-match": part.headers["etag"]})
    assert again.status == 304
    assert ask("POST", f"{LAB}/raw/main/a.txt", headers=headers).status == 405
    assert said(get("raw/main/nowhere"))[0] == 404


def test_raw_tells_strangers_nothing(lab, charlie, token_of):
    headers = {"authorization": f"Bearer {token_of(charlie)}"}
    hidden = ask("GET", f"{LAB}/raw/main/README.md", headers=headers)
    absent = ask("GET", "/api/v1/repos/alice/gone/raw/main/README.md", headers=headers)
    assert (hidden.status, hidden.body) == (absent.status, absent.body)
    assert hidden.status == 404
    assert ask("GET", f"{LAB}/raw/main/README.md").status == 401


def test_a_renamed_repository_is_found_again(put, lab, alice, token_of):
    repositories.rename(Actor(user=alice), lab, "atelier")
    answer = put("main/", {"a.txt": b"1"})
    assert (answer.status, answer.headers["location"]) == (307, "/api/v1/repos/alice/atelier/content/main/")
