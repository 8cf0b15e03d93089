"""Celery's beat, made safe against a clock that is set back: it would send nothing until the old time comes again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery.beat import PersistentScheduler


class Scheduler(PersistentScheduler):
    _heap: Any
    _ticked: datetime | None = None

    def tick(self, *args: Any, **options: Any) -> float:
        now = self.app.now()
        if self._ticked and now < self._ticked:
            self._heap = None  # the times in it are of the old clock
        self._ticked = now
        return float(super().tick(*args, **options))

    def populate_heap(self, *args: Any, **options: Any) -> None:
        now = self.app.now()
        for entry in self.schedule.values():
            entry.last_run_at = min(entry.last_run_at or now, now)
        super().populate_heap(*args, **options)
