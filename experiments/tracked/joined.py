"""Runs of one commit, side by side: the one made from git, and those that MLflow's clients logged with its id."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.models import RunCommit
from experiments.runs import Run
from experiments.tracked import marks
from repos.models import Repository

MOST = 20


def logged(repository: Repository, shown: Iterable[Run]) -> dict[str, list[str]]:
    """run id of each run made from git → ids of the runs logged at its commit. One query; none without such runs."""
    made = {run.commit: run.run_id for run in shown if run.is_tracked}
    if not made:
        return {}
    found: dict[str, list[str]] = {}
    rows = RunCommit.objects.filter(repository=repository, sha__in=made).order_by("pk")
    for sha, run_id in rows.values_list("sha", "run_id"):
        if not marks.is_tracked(run_id):
            found.setdefault(made[sha], []).append(run_id)
    return found


def others(repository: Repository, run_id: str, sha: str) -> list[str]:
    """Ids of other runs of a commit, the one made from git first."""
    if not sha:
        return []
    made = marks.run_id_of(repository.pk, sha)
    rows = RunCommit.objects.filter(repository=repository, sha=sha).exclude(run_id__in=[run_id, made]).order_by("pk")
    first = RunCommit.objects.filter(repository=repository, run_id=made).exclude(run_id=run_id)
    return [*first.values_list("run_id", flat=True), *rows.values_list("run_id", flat=True)[:MOST]]
