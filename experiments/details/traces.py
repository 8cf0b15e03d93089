"""Traces that were made while a run was open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select

from experiments.database import experiments, rows_of, trace_metadata, traces
from experiments.runs import Run, moment

PAGE_TRACES = 25
RUN_KEY = "mlflow.sourceRun"


@dataclass(frozen=True)
class Trace:
    """duration in seconds, None while it goes on."""

    request_id: str
    name: str
    status: str
    started: datetime | None
    duration: float | None


def of_run(workspace: str, run: Run, *, page: int = 1) -> tuple[list[Trace], bool]:
    """(those of a page, newest first; whether there are more), in one statement."""
    said = and_(trace_metadata.c.request_id == traces.c.request_id, trace_metadata.c.key == RUN_KEY)
    joined = traces.join(trace_metadata, said).join(experiments, experiments.c.experiment_id == traces.c.experiment_id)
    wanted = (
        select(traces)
        .select_from(joined)
        .where(
            experiments.c.workspace == workspace,
            traces.c.experiment_id == run.experiment_id,
            trace_metadata.c.value == run.run_id,
        )
    )
    newest = wanted.order_by(traces.c.timestamp_ms.desc(), traces.c.request_id)
    rows = rows_of(newest.offset((page - 1) * PAGE_TRACES).limit(PAGE_TRACES + 1))
    return [_trace(row) for row in rows[:PAGE_TRACES]], len(rows) > PAGE_TRACES


def _trace(row: Any) -> Trace:
    took = row.execution_time_ms
    return Trace(
        row.request_id,
        (row.trace_name or row.request_preview or "")[:120],
        row.status or "",
        moment(row.timestamp_ms),
        None if took is None else took / 1000,
    )
