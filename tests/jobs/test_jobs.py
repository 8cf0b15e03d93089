"""Long work: one row per key, claimed by one worker, cancelled at any moment, taken over when its worker dies."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hub.jobs import jobs, tasks
from hub.jobs.jobs import Failed, Run, State
from hub.jobs.models import Job
from hub.lib.errors import Busy, Upstream
from hub.lib.objectstore import ObjectMissing, ObjectStoreError

pytestmark = pytest.mark.django_db


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the jobs of kind "test" were given; their argument `does` says how they end."""
    got: list[Any] = []

    @jobs.handler("test")
    def handle(run: Run) -> Any:
        got.append(run.job.arguments)
        does = run.job.arguments.get("does")
        if does == "fail":
            raise Failed("That is no table.")
        if does == "break":
            raise RuntimeError("the disk is gone")
        if does == "meet an outage":
            raise ObjectStoreError("nobody answers at 10.1.2.3")
        if does == "tell of an outage":
            raise Failed("The sync did not work.") from Upstream("The hub's object store did not answer.")
        if does == "find lost bytes":
            raise ObjectMissing("sha256/aa")
        if does == "fill the disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if does == "outlive its worker":
            jobs.stop()
            run.progress(1)
        if does == "cancel itself":
            jobs.cancel(run.job.pk)
            run.progress(1)
        if does == "lose its claim":
            Job.objects.filter(pk=run.job.pk).update(attempts=7)
        if does == "find odd names":
            return {"a\0b": ["\udc80", ("c\0",), 3]}
        run.progress(5, 10)
        return {"rows": 3}

    yield got
    del jobs._handlers["test"]
    jobs._stopping.clear()


def start(key: str = "one", **options: Any) -> Job:
    return jobs.start("test", key, {"does": options.pop("does", "")}, **options)


def test_the_same_key_is_one_job_that_runs_once(ran):
    first, second = start(), start()
    assert first.pk == second.pk
    jobs.work(first.pk)
    jobs.work(first.pk)
    first.refresh_from_db()
    assert (len(ran), first.state, first.result, first.attempts) == (1, State.DONE, {"rows": 3}, 1)


def test_progress_is_seen(ran):
    job = start()
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.done, job.total) == (5, 10)
    assert job.leased_until is None


def test_what_is_done_at_once_is_left_to_no_worker(ran, monkeypatch):
    seen = []
    attempt = jobs._attempt

    def between(claimed: Run) -> None:
        seen.append(jobs._next())  # what a worker finds that looks for more just now
        attempt(claimed)

    monkeypatch.setattr(jobs, "_attempt", between)
    job = start(at_once=True)
    jobs.restart(job, at_once=True)
    assert (seen, len(ran), job.state, job.result, job.attempts) == ([None, None], 2, State.DONE, {"rows": 3}, 1)


def test_what_a_worker_has_is_not_done_at_once_too(ran):
    job = start()
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, leased_until=timezone.now() + jobs.LEASE, attempts=1)
    assert (start(at_once=True).state, ran) == (State.RUNNING, [])


def test_what_waits_is_done_by_who_wants_it_at_once(ran):
    start()
    assert (start(at_once=True).state, len(ran)) == (State.DONE, 1)


def test_what_cannot_be_done_is_not_tried_again_unless_asked(ran):
    job = start(does="fail")
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (State.FAILED, "That is no table.")
    assert jobs.due() == []
    assert start().state == State.FAILED
    assert start(again=True).state == State.QUEUED


def test_a_broken_part_is_tried_three_times(ran):
    job = start(does="break")
    for _ in range(5):
        jobs.run(job.pk)
    job.refresh_from_db()
    assert (len(ran), job.state) == (3, State.FAILED)
    assert "disk" not in job.error  # nothing of the inside is shown


def tried(job: Job) -> Job:
    """Once more, as if its time had come."""
    Job.objects.filter(pk=job.pk).update(not_before=None)
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("does", ["meet an outage", "tell of an outage", "fill the disk"])
def test_an_outage_is_waited_for_however_long_it_lasts(ran, does):
    job = start(does=does)
    for _ in range(7):
        assert tried(job).state == State.QUEUED
    assert job.not_before is not None
    assert job.not_before > timezone.now()
    assert "It is tried again by itself." in job.waits_for
    assert "10.1.2.3" not in job.waits_for
    jobs.run(job.pk)
    assert (len(ran), jobs.due()) == (7, [])  # not before its time
    Job.objects.update(not_before=timezone.now(), arguments={"does": ""})  # it is back
    assert jobs.due() == [job.pk]
    tasks.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (State.DONE, {"rows": 3})


def test_a_full_disk_is_tried_less_often(ran):
    away, full = tried(start("away", does="meet an outage")), tried(start("full", does="fill the disk"))
    assert away.not_before is not None
    assert full.not_before is not None
    assert full.not_before - away.not_before > timedelta(seconds=30)


def test_an_outage_does_not_excuse_the_work_itself(ran):
    job = tried(start(does="meet an outage"))
    Job.objects.update(arguments={"does": "break"})
    assert [tried(job).state for _ in range(3)] == [State.QUEUED, State.QUEUED, State.FAILED]


def test_an_outage_of_a_day_ends_it(ran):
    job = start(does="meet an outage")
    Job.objects.update(excused=jobs.EXCUSED, attempts=jobs.EXCUSED + 2)
    assert tried(job).state == State.FAILED
    assert start(does="", again=True).excused == 0


def test_bytes_that_are_lost_do_not_come_back_by_waiting(ran):
    assert tried(start(does="find lost bytes")).not_before is None


def test_a_worker_that_stops_gives_its_jobs_back(ran):
    job, other = start(does="outlive its worker"), start("other")
    jobs.work(job.pk)
    assert len(ran) == 1  # and takes no other
    assert set(jobs.due()) == {job.pk, other.pk}
    jobs._stopping.clear()  # the next worker
    for _ in range(4):
        jobs.run(job.pk)
        jobs._stopping.clear()
        job.refresh_from_db()
        assert job.state == State.QUEUED


def test_what_no_database_takes_as_text_is_replaced(ran):
    job = start(does="find odd names")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.result == {"a�b": ["?", ["c�"], 3]}


def test_a_cancelled_job_does_not_run(ran):
    job = start()
    assert jobs.cancel(job.pk)
    assert not jobs.cancel(job.pk)
    jobs.work(job.pk)
    assert ran == []


def test_a_running_job_notices_that_it_was_cancelled(ran):
    job = start(does="cancel itself")
    jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (State.CANCELLED, None)


def test_a_result_counts_only_while_the_claim_is_its_own(ran):
    job = start(does="lose its claim")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (State.RUNNING, None)


def test_a_job_whose_worker_died_is_taken_over(ran):
    job = start()
    Job.objects.filter(pk=job.pk).update(
        state=State.RUNNING, attempts=1, leased_until=timezone.now() - timedelta(seconds=1)
    )
    assert jobs.due() == [job.pk]
    tasks.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.DONE, 2)


def test_leases_and_waits_of_a_clock_that_was_set_back_do_not_count(ran):
    running, waiting, hour = start("running"), start("waiting"), timezone.now() + timedelta(hours=2)
    Job.objects.filter(pk=running.pk).update(state=State.RUNNING, attempts=1, leased_until=hour)
    Job.objects.filter(pk=waiting.pk).update(not_before=hour)
    assert jobs.due() == [running.pk, waiting.pk]
    tasks.run_job(running.pk)
    running.refresh_from_db()
    assert running.state == State.DONE


def test_a_job_that_killed_three_workers_is_ended(ran):
    job = start()
    Job.objects.filter(pk=job.pk).update(
        state=State.RUNNING, attempts=3, leased_until=timezone.now() - timedelta(seconds=1)
    )
    assert jobs.due() == []
    job.refresh_from_db()
    assert job.state == State.FAILED


def test_a_job_at_work_is_left_alone(ran):
    job = start()
    Job.objects.filter(pk=job.pk).update(
        state=State.RUNNING, attempts=1, leased_until=timezone.now() + timedelta(seconds=30)
    )
    jobs.work(job.pk)
    assert (ran, jobs.due()) == ([], [])


def test_whoever_has_a_turn_takes_the_others_too(ran):
    first, second = start("one"), start("two")
    jobs.work(first.pk)
    second.refresh_from_db()
    assert second.state == State.DONE


def test_one_repository_cannot_fill_the_queue(ran):
    for number in range(jobs.QUEUED_PER_REPOSITORY):
        start(str(number), repository_id=1)
    with pytest.raises(Busy):
        start("too many", repository_id=1)
    start("of another", repository_id=2)


def test_jobs_that_ended_long_ago_are_forgotten_and_can_be_asked_for_again(ran):
    for key in ("old", "fresh"):
        jobs.work(start(key).pk)
    waiting = start("waiting")
    Job.objects.filter(key="old").update(finished=timezone.now() - jobs.KEEP_ENDED - timedelta(seconds=1))
    tasks.forget_jobs()
    assert set(Job.objects.values_list("key", flat=True)) == {"fresh", "waiting"}
    assert start("old").state == State.QUEUED
    assert waiting.finished is None


def test_a_running_job_stops_when_its_repository_is_gone(ran):
    other = start("other", repository_id=8)
    mine = start("mine", repository_id=7)
    claimed = jobs._claim(mine.pk)
    assert claimed is not None
    assert jobs.forget_of(7) == 1
    with pytest.raises(jobs.Cancelled):
        claimed.progress(1)
    assert list(Job.objects.values_list("pk", flat=True)) == [other.pk]
