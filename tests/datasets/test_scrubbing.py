"""Objects are read again; what is damaged is absent to programs, named to people, and mended by the next push."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from datasets.models import Blob, StoredObject
from datasets.storage import lacking as folders
from datasets.storage import scrubbing
from datasets.tracked import presence
from datasets.tracked.tracking import tracked
from hub import doctor
from hub.accounts.models import AuditEvent
from hub.jobs import jobs
from hub.jobs.models import Job
from repos.models import Access, Membership
from tests.datasets.s3.test_objects import code
from tests.datasets.test_contents import pointer
from tests.datasets.test_remote import address, md5
from tests.support import s3
from tests.support.asgi import ask, basic

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]
GOOD, BAD = b"the very bytes", b"the vary bytes"


@pytest.fixture
def headers(bob, token_of):
    return basic(token_of(bob))


def years_later() -> None:
    Blob.objects.update(created=F("created") - timedelta(days=400), checked=F("checked") - timedelta(days=400))


def scrub() -> dict[str, int]:
    scrubbing.start()
    (job,) = Job.objects.filter(kind=scrubbing.SCRUB)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.error
    return dict(job.result)


def damage(folder, data: bytes = BAD) -> None:
    blob = Blob.objects.get(md5=md5(GOOD))
    folder._path(blob.key).write_bytes(data)


@pytest.fixture
def damaged(private, headers, folder, writer):
    """One object of two is damaged, and the scrub has seen it."""
    for data in (GOOD, b"fine"):
        ask("PUT", address(data), headers=headers, body=[data])
    writer(private).commit({"a.dvc": pointer(md5(GOOD), "a")})
    (output,) = tracked(private, writer_tip(private)).outputs.values()
    assert presence.presence(private, [output])[0].whole
    damage(folder)
    years_later()
    assert scrub() == {"objects": 2, "bytes": 2 * len(BAD) * 2 // 2 + 4, "rotten": 1}
    assert not presence.presence(private, [output])[0].whole
    return private


def writer_tip(repository) -> str:
    from repos.git.store import refs
    from repos.place import store_of

    return refs(store_of(repository), "refs/heads/")["refs/heads/main"]


def test_it_reads_what_is_due_and_no_more(private, headers):
    ask("PUT", address(GOOD), headers=headers, body=[GOOD])
    scrubbing.start()
    assert not Job.objects.exists()  # it was read as it came
    years_later()
    assert scrub() == {"objects": 1, "bytes": len(GOOD), "rotten": 0}
    assert Blob.objects.get().checked is not None
    scrubbing.start()
    assert Job.objects.get().state == "done"


def test_it_is_never_done_where_it_is_not_wanted(private, headers, settings):
    settings.SCRUB_DAYS = 0
    ask("PUT", address(GOOD), headers=headers, body=[GOOD])
    years_later()
    scrubbing.start()
    assert not Job.objects.exists()


def test_a_run_ends_and_the_next_goes_on(private, headers, monkeypatch):
    for data in (b"1", b"2", b"3"):
        ask("PUT", address(data), headers=headers, body=[data])
    years_later()
    monkeypatch.setattr(scrubbing, "RUN_SECONDS", -1)
    assert [scrub()["objects"] for _ in range(3)] == [1, 1, 1]
    assert not list(scrubbing.due())


@pytest.mark.parametrize("legacy", [False, True])
def test_a_folder_with_a_damaged_file_is_absent_to_who_may_push(
    private, headers, folder, charlie, token_of, legacy, django_assert_num_queries
):
    def place(data: bytes, end: str = "") -> str:
        return (address(data) + end).replace("files/md5/", "" if legacy else "files/md5/")

    whole, lacking = (
        json.dumps([{"md5": md5(data), "relpath": "a"}], separators=(",", ":")).encode() for data in (b"fine", GOOD)
    )
    for data, end in ((GOOD, ""), (b"fine", ""), (whole, ".dir"), (lacking, ".dir")):
        assert ask("PUT", place(data, end), headers=headers, body=[data]).status == 201
    assert ask("GET", place(lacking, ".dir"), headers=headers).status == 200
    damage(folder)
    years_later()
    assert scrub()["rotten"] == 1
    answer = ask("GET", place(lacking, ".dir"), headers=headers)
    assert (answer.status, "damaged" in answer.text) == (404, True)
    assert ask("GET", place(whole, ".dir"), headers=headers).status == 200
    assert ask("HEAD", place(lacking, ".dir"), headers=headers).status == 200  # what lists it still reads it
    assert ask("GET", place(lacking, ".dir"), headers=headers | {"range": "bytes=0-9"}).status == 206
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert ask("GET", place(lacking, ".dir"), headers=basic(token_of(charlie))).body == lacking
    assert ask("PUT", place(GOOD), headers=headers, body=[GOOD]).status == 201
    assert ask("GET", place(lacking, ".dir"), headers=headers).body == lacking
    row = StoredObject.objects.select_related("blob").get(key__endswith=f"{md5(lacking)[2:]}.dir")
    with django_assert_num_queries(1):
        assert not folders.lacks(row)


def test_a_folder_whose_list_came_before_its_files_is_absent_to_who_may_push(private, headers, charlie, token_of):
    listed = json.dumps([{"md5": md5(data), "relpath": str(data)} for data in (b"1", b"2")]).encode()
    place = address(listed) + ".dir"
    assert ask("PUT", place, headers=headers, body=[listed]).status == 201
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    for data in (b"1", b"2"):
        answer = ask("GET", place, headers=headers)
        assert (answer.status, "never came" in answer.text) == (404, True)
        assert ask("HEAD", place, headers=headers).status == 200
        assert ask("GET", place, headers=basic(token_of(charlie))).body == listed
        assert ask("PUT", address(data), headers=headers, body=[data]).status == 201
    assert ask("GET", place, headers=headers).body == listed


def test_a_damaged_object_is_absent_and_a_push_mends_it(damaged, headers, folder, bob, token_of):
    answer = ask("GET", address(GOOD), headers=headers)
    assert answer.status == 404
    assert "damaged" in answer.text
    key = "dvc/" + address(GOOD).split(".dvc/")[1]

    def found(method, path):
        return s3.call(method, f"/alice/private.s3/{path}", token_of(bob))

    assert code(found("GET", key)) == "NoSuchKey"
    assert found("HEAD", key).status == 404
    assert key.removeprefix("dvc/") not in found("GET", "dvc?list-type=2").text
    assert ask("PUT", address(GOOD), headers=headers, body=[BAD]).status == 400
    assert ask("PUT", address(GOOD), headers=headers, body=[GOOD]).status == 201
    assert ask("GET", address(GOOD), headers=headers).body == GOOD
    assert Blob.objects.get(md5=md5(GOOD)).rotten is None
    assert StoredObject.objects.count() == Blob.objects.count() == 2


def test_s3_mends_it_too(damaged, bob, token_of):
    key = "dvc/" + address(GOOD).split(".dvc/")[1]
    assert s3.call("PUT", f"/alice/private.s3/{key}", token_of(bob), body=GOOD).status == 200
    assert s3.call("GET", f"/alice/private.s3/{key}", token_of(bob)).body == GOOD


def test_it_is_reported_once(damaged, as_user, alice, folder):
    event = AuditEvent.objects.get(action="data.rot")
    assert event.subject.startswith("alice/private: files/md5/")
    found = doctor._ask("objects", doctor.objects)
    assert "1 objects are damaged or lost, e.g. in alice/private" in found.text
    assert "Storage" in found.fix
    text = as_user(alice).get("/alice/private/settings/storage").content.decode()
    assert "1 damaged object" in text
    assert address(GOOD).split(".dvc/")[1] in text
    years_later()
    scrub()
    assert AuditEvent.objects.filter(action="data.rot").count() == 1


def test_one_that_is_whole_again_is_no_longer_rotten(damaged, folder):
    damage(folder, GOOD)
    years_later()
    scrub()
    assert Blob.objects.filter(rotten=None).count() == 2
    assert not doctor._ask("objects", doctor.objects).fix


def test_a_lost_object_is_rotten(private, headers, folder):
    ask("PUT", address(GOOD), headers=headers, body=[GOOD])
    folder._path(Blob.objects.get().key).unlink()
    years_later()
    assert scrub()["rotten"] == 1
    assert ask("PUT", address(GOOD), headers=headers, body=[GOOD]).status == 201
    assert ask("GET", address(GOOD), headers=headers).body == GOOD


def test_another_text_of_the_same_old_name_takes_its_place(private, headers, folder):
    """DVC 2 named text without its CR: the bytes that mend it may be others."""
    path = address(b"a\nb\n", legacy=True)
    assert ask("POST", path, headers=headers, body=[b"a\nb\n"]).status == 201
    Blob.objects.update(rotten=timezone.now())
    assert ask("POST", path, headers=headers, body=[b"a\r\nb\r\n"]).status == 201
    assert ask("GET", path, headers=headers).body == b"a\r\nb\r\n"
    cache.clear()
