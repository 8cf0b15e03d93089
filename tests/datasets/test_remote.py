"""The DVC remote: what is stored, what is refused, and who may know of it."""

from __future__ import annotations

import asyncio
import hashlib
import os

import pytest

from datasets.models import Blob, StoredObject
from hub.accounts.models import AccessToken
from repos.models import Membership, Repository
from tests.support.asgi import ask, basic, exchange

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def address(data: bytes, repository: str = "alice/private", *, legacy: bool = False, suffix: str = "") -> str:
    oid = md5(data)
    return f"/{repository}.dvc/{'' if legacy else 'files/md5/'}{oid[:2]}/{oid[2:]}{suffix}"


@pytest.fixture
def pusher(bob, private, token_of, folder) -> dict[str, str]:
    return basic(token_of(bob))


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("suffix", ["", ".dir"])
def test_it_stores_and_serves(pusher, method, legacy, suffix):
    data = os.urandom(2_500_000)
    path = address(data, legacy=legacy, suffix=suffix)
    assert ask("GET", path, headers=pusher).status == 404
    assert ask(method, path, headers=pusher, body=[data[:10], data[10:]]).status == 201
    answer = ask("GET", path, headers=pusher)
    assert (answer.status, answer.body) == (200, data)
    assert answer.headers["content-length"] == str(len(data))
    assert "content-encoding" not in answer.headers
    assert ask(method, path, headers=pusher, body=[data]).status == 200
    assert (Blob.objects.count(), StoredObject.objects.count()) == (1, 1)


def test_it_stores_the_empty_file(pusher):
    assert ask("POST", address(b""), headers=pusher).status == 201
    answer = ask("GET", address(b""), headers=pusher)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


def test_it_refuses_bytes_that_are_not_their_name(pusher, folder):
    answer = ask("POST", address(b"good"), headers=pusher, body=[b"evil"])
    assert answer.status == 400
    assert "dvc push" in answer.text
    assert ask("GET", address(b"good"), headers=pusher).status == 404
    assert not list(folder.list())
    assert not os.listdir(folder.temporary)
    assert ask("POST", address(b"good"), headers=pusher, body=[b"good"]).status == 201
    assert ask("POST", address(b"good"), headers=pusher, body=[b"evil"]).status == 400  # even when it is here
    assert ask("GET", address(b"good"), headers=pusher).body == b"good"


def test_a_cut_upload_leaves_nothing(pusher, folder):
    data = os.urandom(3_000_000)
    assert ask("PUT", address(data), headers=pusher, body=[data[:2_500_000]], cut=True).status == 0
    assert ask("PUT", address(b"x"), headers=pusher, body=[b"x"], cut=True).status == 0
    assert not list(folder.list())
    assert not os.listdir(folder.temporary)
    assert not StoredObject.objects.exists()
    assert ask("PUT", address(data), headers=pusher, body=[data]).status == 201


def test_it_serves_ranges_and_conditions(pusher):
    data = b"0123456789"
    ask("POST", address(data), headers=pusher, body=[data])
    for asked, status, body in [
        ("bytes=1-2", 206, b"12"),
        ("bytes=0-99", 206, data),
        ("bytes=-3", 206, b"789"),
        ("bytes=7-", 206, b"789"),
        ("bytes=10-", 416, None),
        ("bytes=5-4", 200, data),
        ("bytes=0-1,3-4", 200, data),
        ("lines=1-2", 200, data),
    ]:
        answer = ask("GET", address(data), headers={**pusher, "range": asked})
        assert answer.status == status, asked
        assert body is None or answer.body == body
    head = ask("HEAD", address(data), headers=pusher)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "10")
    etag = head.headers["etag"]
    assert ask("GET", address(data), headers={**pusher, "if-none-match": etag}).status == 304
    assert ask("GET", address(data), headers={**pusher, "if-none-match": '"other"'}).status == 200
    stale = {**pusher, "range": "bytes=1-2", "if-range": '"other"'}
    assert ask("GET", address(data), headers=stale).body == data


def test_it_stops_reading_for_a_client_that_left(pusher, monkeypatch):
    data = os.urandom(20 * 1024 * 1024)
    ask("POST", address(data), headers=pusher, body=[data])
    read = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda *a: read.append(a[1]) or real(*a))
    assert not ask("GET", address(data), headers=pusher, hang_up_after=0).complete
    assert sum(read) <= 3 * 1024 * 1024


def test_legacy_text_may_bear_its_unix_name(pusher):
    text = b"a\r\nb\r\n"
    unix = address(b"a\nb\n", legacy=True)
    assert ask("POST", unix, headers=pusher, body=[text]).status == 201
    assert ask("GET", unix, headers=pusher).body == text
    assert ask("POST", address(b"a\nb\n"), headers=pusher, body=[text]).status == 400  # DVC 3 hashes as they are


@pytest.mark.parametrize(
    "rest",
    [
        "../../../etc/passwd",
        "%2e%2e/%2e%2e/x",
        "files/md5/zz/x",
        "files/md5/ab/../../x",
        "files/md5/AB/" + "C" * 30,
        "files/md5/ab/" + "c" * 31,
        "files/md5/ab/" + "c" * 30 + ".dir.dir",
        "files/sha256/ab/" + "c" * 30,
        "files/md5/ab//" + "c" * 30,
        "files/md5",
        "",
    ],
)
def test_it_refuses_paths_that_are_no_objects(pusher, rest):
    for method in ("GET", "PUT"):
        assert ask(method, f"/alice/private.dvc/{rest}", headers=pusher, body=[b"x"]).status == 404


def test_wrong_methods(pusher):
    answer = ask("DELETE", address(b"x"), headers=pusher)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST, PUT")


def test_who_may_do_what(alice, bob, charlie, private, token_of):
    data, path = b"secret", address(b"secret")
    assert ask("POST", path, headers=basic(token_of(alice)), body=[data]).status == 201
    reader = basic(token_of(alice, scopes=["data:read"]))
    stranger = basic(token_of(charlie))
    anonymous = ask("GET", path)
    assert anonymous.status == 401
    assert anonymous.headers["www-authenticate"].startswith("Basic")
    absent = ask("GET", path.replace("private", "absent"))
    assert (absent.status, absent.text.splitlines()[0]) == (401, anonymous.text.splitlines()[0])
    for method in ("GET", "HEAD", "POST", "PUT"):
        assert ask(method, path, headers=stranger, body=[data]).status == 404
        assert ask(method, path, body=[data]).status == 401
        assert ask(method, path, headers=basic("covey_wrong"), body=[data]).status == 401
    assert ask("GET", path, headers=reader).status == 200
    assert ask("PUT", path, headers=reader, body=[data]).status == 403
    Membership.objects.update(access=1)
    assert ask("PUT", path, headers=basic(token_of(bob)), body=[data]).status == 403
    assert ask("GET", path, headers=basic(token_of(bob, scopes=["repo:write"]))).status == 403


def test_anonymous_reads_a_public_repository_and_may_not_write(public, alice, token_of):
    path = address(b"open", "alice/public")
    ask("POST", path, headers=basic(token_of(alice)), body=[b"open"])
    assert ask("GET", path).body == b"open"
    assert ask("POST", path, body=[b"open"]).status == 401


def test_a_revoked_token_fails_at_the_next_request(pusher):
    assert ask("POST", address(b"a"), headers=pusher, body=[b"a"]).status == 201
    from django.utils import timezone

    AccessToken.objects.update(revoked=timezone.now())
    assert ask("GET", address(b"a"), headers=pusher).status == 401


def test_repositories_share_bytes_but_never_names(alice, charlie, private, token_of, folder):
    own = Repository.objects.create(owner=charlie.owner, name="own", private=True)
    theirs, his = basic(token_of(alice)), basic(token_of(charlie))
    data = b"known only to alice"
    ask("POST", address(data), headers=theirs, body=[data])
    path = address(data, "charlie/own")
    assert ask("GET", path, headers=his).status == 404
    assert ask("HEAD", path, headers=his).status == 404
    assert ask("PUT", path, headers=his, body=[]).status == 400  # the name alone gives nothing
    assert ask("PUT", path, headers=his, body=[data]).status == 201
    assert ask("GET", path, headers=his).body == data
    assert Blob.objects.count() == 1
    assert len(list(folder.list())) == 1
    assert StoredObject.objects.filter(repository=own).count() == 1


def test_a_twin_with_the_same_md5_is_another_blob(alice, private, charlie, token_of):
    """md5 collisions are cheap (here: the pair of Wang and Yu, 2004): each repository keeps its own bytes."""
    one = bytes.fromhex(
        "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a"
        "085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
        "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
    )
    two = bytes.fromhex(
        "d131dd02c5e6eec4693d9a0698aff95c2fcab50712467eab4004583eb8fb7f8955ad340609f4b30283e4888325f1415a"
        "085125e8f7cdc99fd91dbd7280373c5bd8823e3156348f5bae6dacd436c919c6dd53e23487da03fd02396306d248cda0"
        "e99f33420f577ee8ce54b67080280d1ec69821bcb6a8839396f965ab6ff72a70"
    )
    assert md5(one) == md5(two)
    assert one != two
    Repository.objects.create(owner=charlie.owner, name="own", private=True)
    ask("POST", address(two, "charlie/own"), headers=basic(token_of(charlie)), body=[two])
    ask("POST", address(one), headers=basic(token_of(alice)), body=[one])
    assert ask("GET", address(one), headers=basic(token_of(alice))).body == one
    assert Blob.objects.count() == 2


def test_pushing_again_mends_lost_bytes(pusher, folder):
    ask("POST", address(b"lost"), headers=pusher, body=[b"lost"])
    folder.delete(Blob.objects.get().key)
    lost = ask("GET", address(b"lost"), headers=pusher)
    assert lost.status == 502
    assert "dvc push" in lost.text
    assert ask("POST", address(b"lost"), headers=pusher, body=[b"lost"]).status == 201
    assert ask("GET", address(b"lost"), headers=pusher).body == b"lost"


def test_it_stands_64_pushes_of_overlapping_objects(pusher, folder):
    objects = [os.urandom(20_000 + i) for i in range(8)]

    async def crowd():
        return await asyncio.gather(
            *(exchange("POST", address(objects[i % 8]), headers=pusher, body=[objects[i % 8]]) for i in range(64))
        )

    statuses = {answer.status for answer in asyncio.run(crowd())}
    assert statuses <= {200, 201}
    assert (Blob.objects.count(), StoredObject.objects.count()) == (8, 8)
    assert len(list(folder.list())) == 8
    for data in objects:
        assert ask("GET", address(data), headers=pusher).body == data
