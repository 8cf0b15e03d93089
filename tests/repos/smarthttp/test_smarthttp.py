"""Smart HTTP as bytes: who is asked for a password, what is refused before git starts, that no child is left behind."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from repos.git import commands, store
from repos.git.pkt import FLUSH, line
from repos.git.store import ZERO
from repos.models import BranchRule, Push
from repos.storage import store as repositories
from tests.support.asgi import Answer, ask, basic

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("git_root")]
UPLOAD = {"content-type": "application/x-git-upload-pack-request"}
RECEIVE = {"content-type": "application/x-git-receive-pack-request"}
V2 = {"git-protocol": "version=2"}
LIST = line(b"command=ls-refs\n") + b"0001" + line(b"peel\n") + FLUSH
ONE_OBJECT = b"PACK\0\0\0\2\0\0\0\1"


def main_of(path: Path) -> str:
    return store.refs(path)["refs/heads/main"]


def pushed(*commands_: str, capabilities: str = "report-status", pack: bytes = b"") -> bytes:
    first, *others = commands_
    lines = [f"{first}\0 {capabilities}", *others]
    return b"".join(line(text.encode()) for text in lines) + FLUSH + pack


def empty_pack(path: Path) -> bytes:
    return commands.run(path, "pack-objects", "-q", "--stdout")


def children(path: Path) -> list[str]:
    """Git processes that work on this repository, once those that are ending have ended."""
    for _ in range(50):
        found = subprocess.run(["pgrep", "-fa", str(path)], capture_output=True, text=True).stdout.splitlines()
        if not found:
            return []
        time.sleep(0.1)
    return found


# ---- who may ------------------------------------------------------------------------------------
@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
@pytest.mark.parametrize("name", ["private", "absent", "a%00b", "a%0ab", "%ff"])
def test_strangers_are_asked_for_a_password_whether_or_not_it_exists(path, service, name):
    answer = ask("GET", f"/alice/{name}.git/info/refs?service={service}")
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    answer = ask("POST", f"/alice/{name}.git/{service}", body=[b"x" * 1000])
    assert answer.status == 401


def test_it_hides_private_repository_from_strangers(path, charlie, token_of):
    credential = basic(token_of(charlie))
    hidden = ask("GET", "/alice/private.git/info/refs?service=git-upload-pack", headers=credential)
    absent = ask("GET", "/alice/absent.git/info/refs?service=git-upload-pack", headers=credential)
    assert (hidden.status, absent.status) == (404, 404)
    assert hidden.body.split(b"(request")[0] == absent.body.split(b"(request")[0]
    assert ask("GET", "/alice/a%00b.git/info/refs?service=git-upload-pack", headers=credential).status == 404


def test_readers_may_not_push(public, path, alice, charlie, token_of):
    repositories().create(public.pk)
    for credential in [basic(token_of(charlie)), basic(token_of(alice, scopes=["repo:read"]))]:
        answer = ask("GET", "/alice/public.git/info/refs?service=git-receive-pack", headers=credential)
        assert answer.status == 403
        assert answer.headers["content-type"].startswith("text/plain")  # so that git shows it
        assert ask("POST", "/alice/public.git/git-receive-pack", headers=credential | RECEIVE).status == 403
    assert ask("GET", "/alice/public.git/info/refs?service=git-upload-pack").status == 200
    assert ask("GET", "/alice/public.git/info/refs?service=git-receive-pack").status == 401


def test_a_token_is_refused_the_moment_access_is_gone(writer, private, path):
    assert ask("GET", "/alice/private.git/info/refs?service=git-receive-pack", headers=writer).status == 200
    private.memberships.all().delete()
    assert ask("GET", "/alice/private.git/info/refs?service=git-receive-pack", headers=writer).status == 404


# ---- reading ------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/alice/private.git", "/alice/private"])
def test_it_advertises(writer, path, address):
    answer = ask("GET", f"{address}/info/refs?service=git-upload-pack", headers=writer)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-git-upload-pack-advertisement"
    assert "no-cache" in answer.headers["cache-control"]
    assert answer.body.startswith(b"001e# service=git-upload-pack\n0000")
    assert main_of(path).encode() in answer.body
    second = ask("GET", f"{address}/info/refs?service=git-upload-pack", headers=writer | V2)
    assert second.body.startswith(b"000eversion 2\n")
    assert b"filter" in second.body


def test_protocol_2_tells_the_same_of_every_repository_and_never_of_its_refs(writer, path):
    address = "/info/refs?service=git-upload-pack"
    first = ask("GET", f"/alice/private.git{address}", headers=writer | V2)
    commands.run(path, "update-ref", "refs/heads/other", main_of(path))
    second = ask("GET", f"/alice/private.git{address}", headers=writer | V2)
    assert first.body == second.body
    assert b"refs/" not in first.body
    assert b"refs/heads/other" in listed(writer, [LIST]).body
    assert ask("GET", f"/alice/absent.git{address}", headers=writer | V2).status == 404


@pytest.mark.parametrize("protocol", ["version=2:$(touch x)", "version=2\tx", "2" * 500, "`id`", "version=2;id"])
def test_an_odd_protocol_header_is_ignored(writer, path, protocol):
    headers = writer | {"git-protocol": protocol}
    answer = ask("GET", "/alice/private.git/info/refs?service=git-upload-pack", headers=headers)
    assert answer.status == 200
    assert answer.body.startswith(b"001e# service")


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/info/refs", 403),
        ("GET", "/info/refs?service=git-evil-pack", 400),
        ("GET", "/info/refs?service=--help", 400),
        ("POST", "/info/refs?service=git-upload-pack", 405),
        ("GET", "/git-upload-pack", 405),
        ("DELETE", "/git-receive-pack", 405),
        ("POST", "/git-upload-pack", 415),
        ("POST", "/git-receive-pack", 415),
        ("GET", "/HEAD", 404),
        ("GET", "/objects/info/packs", 404),
        ("GET", "/config", 404),
    ],
)
def test_it_refuses_what_git_does_not_ask(writer, path, method, address, status):
    assert ask(method, f"/alice/private.git{address}", headers=writer).status == status


def listed(writer: dict[str, str], body: list[bytes], **headers: str) -> Answer:
    return ask("POST", "/alice/private.git/git-upload-pack", headers=writer | UPLOAD | V2 | headers, body=body)


def test_it_answers_plain_and_gzipped_requests_in_any_pieces(writer, path):
    for body, encoding in [
        ([LIST], "identity"),
        ([LIST[:3], LIST[3:9], LIST[9:]], "identity"),
        ([gzip.compress(LIST, mtime=0)], "gzip"),
    ]:
        answer = listed(writer, body, **{"content-encoding": encoding})
        assert answer.status == 200
        assert b"refs/heads/main" in answer.body
        assert answer.complete


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"", "identity"),
        (b"0099want", "identity"),
        (b"zzzz", "identity"),
        (LIST[:-5], "identity"),
        (b"notgzip", "gzip"),
        (gzip.compress(LIST, mtime=0)[:-9], "gzip"),
        (LIST, "br"),
    ],
)
def test_a_damaged_request_is_refused_before_git_starts(writer, path, body, encoding):
    answer = listed(writer, [body], **{"content-encoding": encoding})
    assert answer.status == 400
    assert b"refs/heads" not in answer.body
    assert not children(path)


def test_a_gzip_bomb_is_cut_off(writer, path):
    answer = listed(writer, [gzip.compress(b"0" * 200_000_000, mtime=0)], **{"content-encoding": "gzip"})
    assert (answer.status, b"flush packets" in answer.body) == (400, True)
    wants = gzip.compress(b"0032want %s\n" % (b"a" * 40) * 1_500_000, mtime=0)
    assert listed(writer, [wants], **{"content-encoding": "gzip"}).status == 413


def test_git_ends_when_the_client_leaves(writer, path):
    answer = ask("GET", "/alice/private.git/info/refs?service=git-upload-pack", headers=writer, hang_up_after=0)
    assert answer.status == 200
    assert not children(path)


# ---- pushing ------------------------------------------------------------------------------------
def push(writer: dict[str, str], body: bytes, **options: object) -> Answer:
    return ask("POST", "/alice/private.git/git-receive-pack", headers=writer | RECEIVE, body=[body], **options)


def test_it_moves_a_ref_and_reports(writer, path):
    main = main_of(path)
    answer = push(writer, pushed(f"{ZERO} {main} refs/heads/new", pack=empty_pack(path)))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-git-receive-pack-result"
    assert b"ok refs/heads/new" in answer.body
    assert store.refs(path)["refs/heads/new"] == main
    assert Push.objects.get().state == Push.State.DONE


@pytest.fixture
def unsettled() -> Iterator[None]:
    """The database fails whoever writes down what became of a push."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            cursor.execute(f"CREATE TRIGGER unsettled BEFORE UPDATE ON repos_push {full}")
            drop = "DROP TRIGGER unsettled"
        else:
            body = "BEGIN RAISE EXCEPTION 'going down' USING ERRCODE = '57P01'; END"
            cursor.execute(f"CREATE FUNCTION unsettled() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
            cursor.execute("CREATE TRIGGER unsettled BEFORE UPDATE ON repos_push EXECUTE FUNCTION unsettled()")
            drop = "DROP FUNCTION unsettled CASCADE"
    yield
    with connection.cursor() as cursor:
        cursor.execute(drop)


def test_a_database_that_goes_once_git_has_it_only_delays_its_pages(writer, path, unsettled):
    main = main_of(path)
    command = f"{ZERO} {main} refs/heads/new"
    answer = push(writer, pushed(command, capabilities="report-status side-band-64k", pack=empty_pack(path)))
    assert b"ok refs/heads/new" in answer.body
    assert b"Git has your push" in answer.body
    assert store.refs(path)["refs/heads/new"] == main
    assert Push.objects.get().state == Push.State.PREPARED  # for the task that settles what nobody settled


def test_a_push_without_report_is_settled_too(writer, path):
    answer = push(writer, pushed(f"{ZERO} {main_of(path)} refs/heads/new", capabilities="", pack=empty_pack(path)))
    assert answer.status == 200
    assert "refs/heads/new" in store.refs(path)
    assert Push.objects.get().state == Push.State.DONE


def test_the_probe_before_a_large_push_is_answered_without_git(writer, path):
    answer = push(writer, FLUSH)
    assert (answer.status, answer.body) == (200, b"")


def test_unknown_objects_are_refused_in_one_step(writer, path):
    unknown = "12" * 20
    body = pushed(f"{ZERO} {unknown} refs/heads/ghost", f"{ZERO} {main_of(path)} refs/heads/x", pack=empty_pack(path))
    answer = push(writer, body)
    assert b"ng refs/heads/ghost its object is neither here nor in the push" in answer.body
    assert b"ng refs/heads/x" in answer.body
    assert set(store.refs(path)) == {"refs/heads/main"}
    assert not Push.objects.exists()


def test_too_many_refs_are_refused_with_a_sentence(writer, path, settings):
    settings.GIT_MAX_REF_COMMANDS = 3
    many = [f"{ZERO} {main_of(path)} refs/tags/{number}" for number in range(5)]
    answer = push(writer, pushed(*many, capabilities="report-status side-band-64k"))
    assert b"A push may change 3 refs here. Push them in several steps." in answer.body
    assert set(store.refs(path)) == {"refs/heads/main"}


def test_a_name_in_another_encoding_is_refused_with_what_to_do(writer, path):
    name = b"refs/heads/inv\xff"
    first = f"{ZERO} {main_of(path)} refs/heads/x\0 report-status side-band-64k".encode()
    second = f"{ZERO} {main_of(path)} ".encode() + name
    answer = push(writer, line(first) + line(second) + FLUSH + empty_pack(path))
    assert b"ng " + name + b" a ref name is UTF-8 here" in answer.body
    assert b"Rename the ref that is refused" in answer.body
    assert set(store.refs(path)) == {"refs/heads/main"}


@pytest.mark.parametrize("ref", ["refs/pull/1/head", "refs/hooks/x", "HEAD", "config", "foo/bar", "refs/heads/../../x"])
def test_refs_of_the_hub_cannot_be_written(writer, path, ref):
    answer = push(writer, pushed(f"{ZERO} {main_of(path)} {ref}", pack=empty_pack(path)))
    assert b"ng " in answer.body
    assert set(store.refs(path)) == {"refs/heads/main"}


def test_a_mirror_of_another_host_leaves_only_its_own_refs_out(writer, path):
    main = main_of(path)
    sent = [f"{ZERO} {main} {ref}" for ref in ("refs/pull/1/head", "refs/heads/new", "refs/tags/v1", "refs/changes/1")]
    answer = push(writer, pushed(*sent, capabilities="report-status side-band-64k", pack=empty_pack(path)))
    assert b"2 of these refs cannot be written here. Push branches" in answer.body
    assert b"ng refs/pull/1/head" in answer.body
    assert set(store.refs(path)) == {"refs/heads/main", "refs/heads/new", "refs/tags/v1"}
    assert {row.ref for row in Push.objects.get().updates.all()} == {"refs/heads/new", "refs/tags/v1"}


@pytest.mark.parametrize("odd", ["refs/heads", "HEAD", "refs/tags/a..b", "config"])
def test_an_odd_name_still_keeps_a_whole_push_out(writer, path, odd):
    main = main_of(path)
    answer = push(writer, pushed(f"{ZERO} {main} {odd}", f"{ZERO} {main} refs/heads/new", pack=empty_pack(path)))
    assert b"ng refs/heads/new" in answer.body
    assert set(store.refs(path)) == {"refs/heads/main"}


def test_of_a_mirror_that_wants_all_or_nothing_nothing_is_taken(writer, path):
    main = main_of(path)
    sent = [f"{ZERO} {main} refs/pull/1/head", f"{ZERO} {main} refs/heads/new"]
    answer = push(writer, pushed(*sent, capabilities="report-status atomic side-band-64k", pack=empty_pack(path)))
    assert b"ng refs/heads/new" in answer.body
    assert set(store.refs(path)) == {"refs/heads/main"}


def test_git_lfs_hears_what_to_use_instead(writer, path):
    for method, below in [("POST", "objects/batch"), ("GET", "locks"), ("POST", "locks/verify")]:
        answer = ask(method, f"/alice/private.git/info/lfs/{below}", headers=writer, body=[b"{}"])
        assert (answer.status, answer.headers["content-type"]) == (501, "application/vnd.git-lfs+json")
        assert "dvc add" in json.loads(answer.body)["message"]
        assert ask(method, f"/alice/private.git/info/lfs/{below}", body=[b"{}"]).status == 401


def test_a_refusal_of_the_policy_is_shown_to_the_person(writer, path, private):
    BranchRule.objects.create(repository=private, pattern="main", push="nobody")
    body = pushed(f"{main_of(path)} {ZERO} refs/heads/main", capabilities="report-status side-band-64k delete-refs")
    answer = push(writer, body)
    assert b"The branch main is protected and cannot be deleted." in answer.body
    assert b"ng refs/heads/main pre-receive hook declined" in answer.body
    assert "refs/heads/main" in store.refs(path)


@pytest.mark.parametrize("body", [b"", b"zzzz", b"0099", line(b"hello"), line(b"push-cert\0report-status"), b"PACK"])
def test_a_damaged_push_is_refused_before_git_starts(writer, path, body):
    assert push(writer, body).status == 400
    assert set(store.refs(path)) == {"refs/heads/main"}


@pytest.mark.parametrize(
    "pack", [b"PACKgarbage-garbage", b"PACK\0\0\0\2\0\0\0\5", b"PACK\0\0\0\2\0\0\0\1" + b"x" * 5000]
)
def test_a_damaged_pack_leaves_nothing(writer, path, pack):
    answer = push(writer, pushed(f"{ZERO} {'34' * 20} refs/heads/bad", pack=pack))
    assert answer.status == 200
    assert b"unpack ok" not in answer.body
    assert set(store.refs(path)) == {"refs/heads/main"}
    assert not list(path.glob("objects/tmp_*"))
    assert not children(path)


def test_a_push_that_is_cut_leaves_nothing(writer, path):
    body = pushed(f"{ZERO} {'34' * 20} refs/heads/half", pack=ONE_OBJECT + b"\x95\x01" + b"x" * 50_000)
    push(writer, body, cut=True)
    assert set(store.refs(path)) == {"refs/heads/main"}
    assert not list(path.glob("objects/tmp_*"))
    assert not children(path)


def test_an_oversized_push_is_refused(writer, path, settings):
    settings.GIT_MAX_PUSH_BYTES = 1000
    answer = push(writer, pushed(f"{ZERO} {'34' * 20} refs/heads/big", pack=ONE_OBJECT + b"\xb5" + b"x" * 5000))
    assert b"ng refs/heads/big" in answer.body or answer.status == 413
    assert set(store.refs(path)) == {"refs/heads/main"}


def test_the_answer_comes_after_the_rows(writer, path, monkeypatch):
    """When the rows cannot be written the client does not hear ok; the reconciler finds the truth later."""
    from repos import publishing

    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(publishing, "settle", fails)
    answer = push(writer, pushed(f"{ZERO} {main_of(path)} refs/heads/new", pack=empty_pack(path)))
    assert b"ok refs/heads/new" not in answer.body
    assert answer.status == 500
    monkeypatch.undo()
    publishing.reconcile(Push.objects.get())
    assert Push.objects.get().state == Push.State.DONE
