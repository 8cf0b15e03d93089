"""Identical clones at once: one git for all but the first, the same answer for each, nothing left behind."""

from __future__ import annotations

import asyncio
import tempfile

import pytest

from repos import gitstreams, sharing, smarthttp
from repos.git.pkt import FLUSH, line
from tests.repos.smarthttp.test_smarthttp import UPLOAD, V2, children, main_of
from tests.support.asgi import Answer, exchange

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("git_root")]


def wanting(*oids: str) -> bytes:
    return b"".join(
        [line(b"command=fetch\n"), b"0001", *(line(f"want {oid}\n".encode()) for oid in oids), line(b"done\n"), FLUSH]
    )


@pytest.fixture
def started(monkeypatch, settings, tmp_path) -> list[int | None]:
    """Where each git that packed something wrote to."""
    settings.TMP_ROOT = tmp_path
    found: list[int | None] = []
    packing = smarthttp._packing

    def watched(repository, protocol, file, output):
        found.append(output)
        return packing(repository, protocol, file, output)

    monkeypatch.setattr(smarthttp, "_packing", watched)
    monkeypatch.setattr(smarthttp, "clones", sharing.Clones())
    return found


def at_once(monkeypatch, writer: dict[str, str], body: bytes, **leaving: int) -> list[Answer]:
    """Four clients with the same request, all there before the first git may begin."""

    async def clients() -> list[Answer]:
        monkeypatch.setattr(smarthttp, "fetches", gitstreams.Slots(1))
        headers = writer | UPLOAD | V2
        async with asyncio.timeout(30), asyncio.TaskGroup() as group, smarthttp.fetches.take():
            asked = [
                group.create_task(
                    exchange("POST", "/alice/private.git/git-upload-pack", headers=headers, body=[body], **options)
                )
                for options in [{}, {}, {}, leaving]
            ]
            while sum(answer.readers for answer in smarthttp.clones._answers.values()) < 3:
                await asyncio.sleep(0.01)
        return [task.result() for task in asked]

    return asyncio.run(clients())


def test_the_second_git_answers_all_the_others(writer, path, started, monkeypatch):
    answers = at_once(monkeypatch, writer, wanting(main_of(path)))
    assert [output is None for output in started].count(True) == 1
    assert len(started) == 2
    assert {answer.status for answer in answers} == {200}
    assert all(answer.complete and b"PACK" in answer.body for answer in answers)
    assert len({answer.headers["content-type"] for answer in answers}) == 1
    assert not smarthttp.clones._answers
    assert not smarthttp.clones._alone
    assert not children(path)


def test_one_that_leaves_takes_nothing_from_the_others(writer, path, started, monkeypatch):
    stay = at_once(monkeypatch, writer, wanting(main_of(path)), hang_up_after=0)[:3]
    assert all(answer.complete and b"PACK" in answer.body for answer in stay)
    assert not children(path)


def test_a_refusal_reaches_everybody(writer, path, started, monkeypatch):
    answers = at_once(monkeypatch, writer, wanting("1" * 40))
    assert {answer.status for answer in answers} == {200}  # git says it inside its protocol
    assert all(b"not our ref" in answer.body for answer in answers)


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        ("", wanting("1" * 40)),
        ("version=1", wanting("1" * 40)),
        ("version=2", line(b"command=ls-refs\n") + FLUSH),
        ("version=2", line(b"command=fetch\n") + b"0001" + line(b"want-ref refs/heads/main\n") + FLUSH),
        ("version=2", line(b"command=fetch\n") + b"0001" + line(b"deepen-not refs/heads/main\n") + FLUSH),
        ("version=2", line(b"command=fetch\n") + b"0001" + line(b"have " + b"1" * 40 + b"\n") + FLUSH),
        ("version=2", wanting(*["1" * 40] * 25_000)),
    ],
)
def test_what_depends_on_more_than_objects_is_never_shared(protocol, body):
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        assert sharing.key_of(1, protocol, file) is None
        assert file.tell() == 0


def test_repositories_protocols_and_requests_do_not_mix():
    keys = set()
    for repository in (1, 2):
        for protocol in ("version=2", "version=2:object-format=sha1"):
            for oid in ("1" * 40, "2" * 40):
                with tempfile.TemporaryFile() as file:
                    file.write(wanting(oid))
                    file.seek(0)
                    keys.add(sharing.key_of(repository, protocol, file))
    assert len(keys) == 8
    assert None not in keys
