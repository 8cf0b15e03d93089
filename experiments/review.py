"""What a change did to the metrics: the runs of its own commits against those it started from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Count
from sqlalchemy import select

from experiments import directions
from experiments.database import Reader, latest_metrics, reading, runs
from experiments.mlflow.context import workspace_of
from experiments.models import RunCommit
from experiments.runs import Run, filled, scoped, select_runs
from experiments.table.columns import written
from repos.git import commands
from repos.models import Repository
from repos.place import store_of

MOST_COMMITS, MOST_RUNS, MOST_METRICS = 1_000, 100, 100
MOST_BOUND = 500  # runs of a side's commits that are looked at, live or deleted


@dataclass(frozen=True)
class Row:
    """One metric. base, head: the best run of each side, or the newest where nobody knows what is better."""

    metric: str
    direction: str
    base: Run | None
    head: Run | None


@dataclass(frozen=True)
class Review:
    """base: the runs of the newest commit that has any, among those the change started from. head: those of its own
    commits. Newest first, at most MOST_RUNS each."""

    base: list[Run]
    head: list[Run]
    rows: list[Row]


def review(repository: Repository, base: str, head: str, declared: Mapping[str, str]) -> Review:
    """base, head: full ids of commits. declared: which way metrics get better. Raises GitError."""
    store = store_of(repository)
    own, before = _commits(store, head, f"^{base}"), _commits(store, base)
    commit_of = _bound(repository, before) | _bound(repository, own)
    with reading() as reader:
        live = _live(reader, workspace_of(repository.pk), list(commit_of))
        shas = {commit_of[row.run_uuid] for row in live}
        start = next((sha for sha in before if sha in shas), "")
        mine = set(own)
        after = [row for row in live if commit_of[row.run_uuid] in mine][:MOST_RUNS]
        earlier = [row for row in live if commit_of[row.run_uuid] == start][:MOST_RUNS]
        metrics = _metrics(reader, [row.run_uuid for row in (*earlier, *after)])
        found = filled(reader, [*earlier, *after], [written("metrics", one) for one in metrics])
    sides = found[: len(earlier)], found[len(earlier) :]
    return Review(*sides, [_row(one, sides, directions.direction(one, declared)) for one in metrics])


def _commits(store: Path, *asked: str) -> list[str]:
    """Newest first."""
    out = commands.run(store, "rev-list", f"--max-count={MOST_COMMITS}", "--end-of-options", *asked)
    return out.decode().split()


def _bound(repository: Repository, shas: Sequence[str]) -> dict[str, str]:
    """run id → commit, of the first of these commits that have runs: a sweep may have logged 100,000 at each."""
    rows = RunCommit.objects.filter(repository=repository, sha__in=shas)
    counted = dict(rows.values_list("sha").annotate(Count("pk")))
    chosen: list[str] = []
    room = MOST_BOUND
    for sha in filter(counted.get, shas):
        if chosen and counted[sha] > room:
            break
        chosen.append(sha)
        room -= counted[sha]
    last = rows.filter(sha__in=chosen).order_by("-pk")  # those that were bound last
    return dict(last.values_list("run_id", "sha")[:MOST_BOUND])


def _live(reader: Reader, workspace: str, ids: Sequence[str]) -> list[Any]:
    wanted = scoped(select_runs(), workspace).where(runs.c.run_uuid.in_(ids))
    return list(reader.rows(wanted.order_by(runs.c.start_time.desc(), runs.c.run_uuid))) if ids else []


def _metrics(reader: Reader, ids: Sequence[str]) -> list[str]:
    keys = select(latest_metrics.c.key).where(latest_metrics.c.run_uuid.in_(ids)).distinct()
    return [row.key for row in reader.rows(keys.order_by(latest_metrics.c.key).limit(MOST_METRICS))] if ids else []


def _row(metric: str, sides: tuple[list[Run], list[Run]], direction: str) -> Row:
    base, head = (_best(side, metric, direction) for side in sides)
    return Row(metric, direction, base, head)


def _best(side: Sequence[Run], metric: str, direction: str) -> Run | None:
    logged = [run for run in side if math.isfinite(run.metrics.get(metric, math.nan))]
    if not logged or not direction:
        return logged[0] if logged else None
    return (min if direction == directions.MIN else max)(logged, key=lambda run: run.metrics[metric])
