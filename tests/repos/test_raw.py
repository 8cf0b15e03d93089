"""Raw files: any range of any file to whoever may read it, and nothing that runs on the hub's origin."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from hub.accounts.actor import Actor
from repos import content, editing, raw
from repos.content import Entry
from repos.editing import Put
from repos.models import Membership, Repository
from repos.storage import store
from tests.support.asgi import Answer, ask, basic, exchange

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("git_root")]
BROWSER = {"accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate"}


def fill(repository: Repository, actor: Actor, **options) -> str:
    store().create(repository.pk)
    changes = [
        Put("README.md", b"# Hi\n"),
        Put("data/a b.bin", bytes(range(256)) * 4),
        Put("e.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        Put("page.html", b"<script>alert(1)</script>"),
        Put("app.js", b"alert(1)"),
        Put("plot.png", b"\x89PNG\r\n\x1a\n\0"),
        Put("paper.pdf", b"%PDF-1.4\n\0"),
        Put("song.mp3", b"ID3\0"),
        Put("model.pkl", b"\x80\x04\0"),
        Put("empty", b""),
        Put("x.png.html", b"\x89PNG\0<script>"),
    ]
    return editing.commit_changes(repository, actor, branch="main", changes=changes)


@pytest.fixture
def repo(private, alice) -> Repository:
    fill(private, Actor(user=alice))
    return private


@pytest.fixture
def open_repo(public, alice) -> Repository:
    fill(public, Actor(user=alice))
    return public


def cookie_of(user) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())}


def test_it_sends_a_file_by_branch_tag_and_commit(open_repo):
    commit = subprocess.check_output(["git", f"--git-dir={open_repo.path}", "rev-parse", "main"], text=True).strip()
    subprocess.check_call(["git", f"--git-dir={open_repo.path}", "tag", "v1/x", "main"])
    for rev in ["main", "v1/x", commit, commit[:10]]:
        answer = ask("GET", f"/alice/public/raw/{rev}/data/a%20b.bin")
        assert (answer.status, answer.body) == (200, bytes(range(256)) * 4)
        assert answer.headers["content-length"] == "1024"
    assert "immutable" in ask("GET", f"/alice/public/raw/{commit}/README.md").headers["cache-control"]
    assert "no-cache" in ask("GET", "/alice/public/raw/main/README.md").headers["cache-control"]


def test_what_is_private_is_never_kept_without_asking(repo, bob):
    answer = ask("GET", "/alice/private/raw/main/README.md", headers=cookie_of(bob))
    assert answer.headers["cache-control"] == "private, no-cache"


TYPES = {
    "README.md": ("text/plain; charset=utf-8", "inline"),
    "page.html": ("text/plain; charset=utf-8", "inline"),
    "app.js": ("text/plain; charset=utf-8", "inline"),
    "e.svg": ("image/svg+xml", "attachment"),
    "plot.png": ("image/png", "inline"),
    "paper.pdf": ("application/pdf", "inline"),
    "song.mp3": ("audio/mpeg", "inline"),
    "model.pkl": ("application/octet-stream", "attachment"),
    "x.png.html": ("application/octet-stream", "attachment"),
    "empty": ("text/plain; charset=utf-8", "inline"),
}


@pytest.mark.parametrize("name", TYPES)
def test_nothing_live_comes_from_the_hubs_origin(open_repo, name):
    headers = ask("GET", f"/alice/public/raw/main/{name}").headers
    kind, disposition = TYPES[name]
    assert headers["content-type"] == kind
    assert headers["content-disposition"].startswith(disposition)
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


RANGES = [
    ("bytes=0-0", 206, (0, 1)),
    ("bytes=10-19", 206, (10, 20)),
    ("bytes=1000-", 206, (1000, 1024)),
    ("bytes=1000-99999", 206, (1000, 1024)),
    ("bytes=-24", 206, (1000, 1024)),
    ("bytes=-99999", 206, (0, 1024)),
    ("bytes=0-1,5-6", 200, (0, 1024)),
    ("bytes=9-2", 200, (0, 1024)),
    ("bytes=-", 200, (0, 1024)),
    ("lines=1-2", 200, (0, 1024)),
]


@pytest.mark.parametrize(("wanted", "status", "part"), RANGES)
def test_it_sends_ranges(open_repo, wanted, status, part):
    for method in ["GET", "HEAD"]:
        answer = ask(method, "/alice/public/raw/main/data/a%20b.bin", headers={"range": wanted})
        whole = bytes(range(256)) * 4
        assert answer.status == status
        assert answer.body == (whole[slice(*part)] if method == "GET" else b"")
        assert answer.headers["content-length"] == str(part[1] - part[0])
        if status == 206:
            assert answer.headers["content-range"] == f"bytes {part[0]}-{part[1] - 1}/1024"


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_behind_the_end_is_416(open_repo, wanted):
    answer = ask("GET", "/alice/public/raw/main/data/a%20b.bin", headers={"range": wanted})
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */1024")


@given(st.text(max_size=40), st.integers(0, 10**6))
def test_any_range_header_is_understood_or_refused(header, size):
    try:
        part = raw.wanted_part({"range": header}, size, '"x"')
    except raw.RangeNotSatisfiable:
        return
    assert 0 <= part.start <= part.end <= size


def test_entity_tags_save_the_body(open_repo):
    first = ask("GET", "/alice/public/raw/main/README.md")
    tag = first.headers["etag"]
    again = ask("GET", "/alice/public/raw/main/README.md", headers={"if-none-match": f'"other", W/{tag}'})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    old = {"range": "bytes=0-1", "if-range": '"old"'}
    assert ask("GET", "/alice/public/raw/main/README.md", headers=old).status == 200
    assert ask("GET", "/alice/public/raw/main/README.md", headers={**old, "if-range": tag}).status == 206


def test_wrong_method(open_repo):
    for method in ["POST", "PUT", "DELETE"]:
        assert ask(method, "/alice/public/raw/main/README.md").status == 405


ABSENT = [
    *("main/nope", "nope/README.md", "main/data", "main", "main/../../x", "main/%2e%2e/x", "-x/y", "main/a%00b"),
    *("main//README.md", "refs/hooks/x", "main/.git/config", "%ff/x", "main/README.md/x"),
]


@pytest.mark.parametrize("rest", ABSENT)
def test_what_is_absent_is_404(open_repo, rest):
    assert ask("GET", f"/alice/public/raw/{rest}").status == 404


def same(one: Answer, other: Answer) -> bool:
    def line(answer: Answer) -> bytes:
        return answer.body.split(b"(request")[0]

    headers = [
        {k: v for k, v in a.headers.items() if k not in {"x-request-id", "content-length"}} for a in (one, other)
    ]
    return one.status == other.status and line(one) == line(other) and headers[0] == headers[1]


def test_a_stranger_cannot_tell_private_from_absent(repo, charlie, token_of):
    for headers in [cookie_of(charlie), BROWSER, {**BROWSER, **cookie_of(charlie)}, basic(token_of(charlie))]:
        hidden = ask("GET", "/alice/private/raw/main/README.md", headers=headers)
        assert hidden.status == 404
        assert same(hidden, ask("GET", "/alice/absent/raw/main/README.md", headers=headers))


def test_a_machine_without_credential_is_asked_for_one(repo):
    for name in ["private", "absent"]:
        answer = ask("GET", f"/alice/{name}/raw/main/README.md", headers={"accept": "*/*"})
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_bad_credential_is_401_even_for_browsers(repo):
    headers = {**BROWSER, "authorization": "Bearer covey_nonsense"}
    assert ask("GET", "/alice/private/raw/main/README.md", headers=headers).status == 401


def test_sessions_and_tokens_may_read(repo, bob, token_of):
    for headers in [cookie_of(bob), basic(token_of(bob)), {"authorization": f"Bearer {token_of(bob)}"}]:
        assert ask("GET", "/alice/private/raw/main/README.md", headers=headers).body == b"# Hi\n"


def test_a_token_without_the_scope_may_not(repo, bob, token_of):
    headers = basic(token_of(bob, scopes=["experiments:read"]))
    assert ask("GET", "/alice/private/raw/main/README.md", headers=headers).status == 403


def test_access_taken_away_is_gone_at_once(repo, bob):
    headers = cookie_of(bob)
    assert ask("GET", "/alice/private/raw/main/README.md", headers=headers).status == 200
    Membership.objects.all().delete()
    assert ask("GET", "/alice/private/raw/main/README.md", headers=headers).status == 404


def test_a_token_in_the_query_is_nothing(repo, bob, token_of):
    assert ask("GET", f"/alice/private/raw/main/README.md?token={token_of(bob)}", headers=BROWSER).status == 404


def test_a_link_shows_the_path_it_names(open_repo):
    store_of = ["git", f"--git-dir={open_repo.path}"]
    oid = subprocess.check_output([*store_of, "hash-object", "-w", "--stdin"], input=b"/etc/passwd").decode().strip()
    line = f"120000 blob {oid}\tlink.html\n".encode()
    tree = subprocess.check_output([*store_of, "mktree"], input=line).decode().strip()
    command = ["git", f"--git-dir={open_repo.path}", "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", tree]
    commit = subprocess.check_output([*command, "-m", "x"], text=True).strip()
    subprocess.check_call(["git", f"--git-dir={open_repo.path}", "update-ref", "refs/heads/l", commit])
    answer = ask("GET", "/alice/public/raw/l/link.html")
    assert (answer.body, answer.headers["content-type"]) == (b"/etc/passwd", "text/plain; charset=utf-8")


def test_a_client_that_hangs_up_stops_git(open_repo, alice):
    actor = Actor(user=alice)
    editing.commit_changes(open_repo, actor, branch="main", changes=[Put("large", b"0123456789abcdef" * 500_000)])
    answer = ask("GET", "/alice/public/raw/main/large", hang_up_after=70_000)
    assert answer.status == 200
    assert len(answer.body) < 8_000_000
    assert not subprocess.run(["pgrep", "-f", str(open_repo.path)], capture_output=True).stdout


class Tracked:
    """data/big is tracked and here; data/gone is tracked and was never pushed."""

    def __init__(self):
        self.entry = Entry("data/big", "file", "0" * 32, 10, "dvc", pointer="data/big.dvc")
        self.size = 10

    def listing(self, repository, commit, directory):
        return []

    def stat(self, repository, commit, path):
        gone = Entry(path, "file", "1" * 32, 10, "dvc", present=False, pointer="data/gone.dvc")
        return {"data/big": self.entry, "data/gone": gone}.get(path)

    def open(self, repository, commit, path):
        return self if path == "data/big" else None

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        for at in range(start, end):
            yield b"%d" % at

    def head(self, limit: int) -> bytes:
        return b"0123456789"[:limit]


def test_tracked_data_has_the_same_address(open_repo, bob, token_of, registering):
    content.register(Tracked())
    assert ask("GET", "/alice/public/raw/main/data/big", headers={"range": "bytes=3-5"}).body == b"345"
    gone = ask("GET", "/alice/public/raw/main/data/gone")
    assert gone.status == 404
    assert "dvc push data/gone.dvc" in gone.text
    reader = basic(token_of(bob, scopes=["repo:read"]))
    assert ask("GET", "/alice/public/raw/main/data/big", headers=reader).status == 403


# ---- a host of its own -------------------------------------------------------------------------
@pytest.fixture
def raw_hosted(settings):
    settings.RAW_HOST = "raw.testserver"
    settings.ALLOWED_HOSTS = ["testserver", "raw.testserver"]


def follow(answer: Answer, **headers: str) -> Answer:
    location = answer.headers["location"]
    assert location.startswith("http://raw.testserver/-/")
    return ask("GET", location.removeprefix("http://raw.testserver"), headers={"host": "raw.testserver", **headers})


def test_browsers_are_sent_to_the_raw_host(repo, bob, raw_hosted):
    answer = ask("GET", "/alice/private/raw/main/page.html", headers={**BROWSER, **cookie_of(bob)})
    assert (answer.status, answer.headers["cache-control"]) == (302, "no-store")
    page = follow(answer)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers


def test_machines_get_the_bytes_at_once(repo, bob, token_of, raw_hosted):
    answer = ask("GET", "/alice/private/raw/main/page.html", headers=basic(token_of(bob)))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")


def test_a_raw_link_dies_with_the_access(repo, bob, raw_hosted):
    answer = ask("GET", "/alice/private/raw/main/README.md", headers=cookie_of(bob))
    assert follow(answer).status == 200
    Membership.objects.all().delete()
    assert follow(answer).status == 404


def test_a_raw_link_dies_with_time_and_with_any_change(repo, bob, raw_hosted, monkeypatch):
    answer = ask("GET", "/alice/private/raw/main/README.md", headers=cookie_of(bob))
    answer.headers["location"] = answer.headers["location"].replace("/-/", "/-/x")
    assert follow(answer).status == 404
    answer.headers["location"] = answer.headers["location"].replace("/-/x", "/-/")
    monkeypatch.setattr(raw, "LINK_SECONDS", -1)
    assert follow(answer).status == 404


def test_the_raw_host_answers_nothing_else(repo, bob, raw_hosted):
    for path in [
        "/",
        "/alice/private",
        "/account/login/",
        "/alice/private/raw/main/README.md",
        "/api/v1/user",
        "/-/x/y",
    ]:
        answer = ask("GET", path, headers={"host": "raw.testserver", **cookie_of(bob)})
        assert answer.status == 404, path
    assert ask("POST", "/account/login/", headers={"host": "raw.testserver"}).status == 404


def test_many_readers_at_once_each_get_their_file(open_repo):
    async def all_of_them() -> list[Answer]:
        return await asyncio.gather(*(exchange("GET", "/alice/public/raw/main/data/a%20b.bin") for _ in range(20)))

    assert {answer.body for answer in asyncio.run(all_of_them())} == {bytes(range(256)) * 4}
