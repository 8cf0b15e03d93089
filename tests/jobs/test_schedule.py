"""Beat goes on when the clock is set back or forward, while it runs or while it was off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import Celery

import hub.celery
from hub.jobs.schedule import Scheduler

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock(Celery):
    moment = START

    def now(self) -> datetime:
        return self.moment


class Recorder(Scheduler):
    """Notes what it would send."""

    def apply_entry(self, entry, producer=None) -> None:
        self.sent.append(entry.name)


@pytest.fixture
def clock() -> Iterator[Clock]:
    app = Clock("clock", broker="memory://", set_as_current=False)
    app.conf.timezone = "UTC"
    app.conf.beat_schedule = {name: {"task": name, "schedule": 15.0} for name in ("a", "b")}
    app.set_current()  # schedules that were stored ask the current one for the time
    yield app
    hub.celery.app.set_current()
    app.close()


def scheduler(clock: Clock, folder: Path) -> Recorder:
    made = Recorder(clock, schedule_filename=str(folder / "schedule"), lazy=True)
    made.sent = []
    made.setup_schedule()
    return made


def sent(beat: Recorder, clock: Clock, *, seconds: int) -> set[str]:
    """What it sends while this time passes."""
    beat.sent.clear()
    for _ in range(seconds):
        clock.moment += timedelta(seconds=1)
        while beat.tick() == 0:
            pass
    return {name for name in beat.sent if name in "ab"}


@pytest.mark.parametrize("jump", [-30 * HOUR, -HOUR, HOUR])
def test_it_goes_on_after_a_jump(clock, tmp_path, jump):
    beat = scheduler(clock, tmp_path)
    assert sent(beat, clock, seconds=20) == {"a", "b"}
    clock.moment += jump
    assert sent(beat, clock, seconds=20) == {"a", "b"}
    beat.close()


def test_it_goes_on_after_a_start_at_an_earlier_time(clock, tmp_path):
    beat = scheduler(clock, tmp_path)
    assert sent(beat, clock, seconds=20) == {"a", "b"}
    beat.close()
    clock.moment -= HOUR
    beat = scheduler(clock, tmp_path)
    assert sent(beat, clock, seconds=20) == {"a", "b"}
    beat.close()
