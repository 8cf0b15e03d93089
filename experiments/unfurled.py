"""`run:<id>` and the addresses of runs in texts: name, status and a metric, all of a page in two statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import and_, func, select

from experiments.database import Reader, experiments, latest_metrics, logged, reading, runs
from experiments.mlflow.context import workspace_of
from experiments.ordering import ALL_RUNS
from experiments.runs import ALIVE, select_runs
from hub.accounts.actor import Actor, Area
from repos.issues import unfurling
from repos.issues.unfurling import Card, Kind
from repos.models import Repository
from repos.place import url

_ID = r"[0-9a-f]{32}"


def find(actor: Actor, asked: Mapping[Repository, Collection[str]]) -> dict[Repository, dict[str, Card]]:
    homes = {workspace_of(repository.pk): repository for repository in asked}
    ids = {run_id for texts in asked.values() for run_id in texts}
    found: dict[Repository, dict[str, Card]] = defaultdict(dict)
    with reading() as reader:
        rows = _rows(reader, ids, list(homes))
        values = _metrics(reader, [row.run_uuid for row in rows])
    for row in rows:
        repository = homes[row.workspace]
        found[repository][row.run_uuid] = _card(repository, row, values.get(row.run_uuid, ""))
    return found


def _rows(reader: Reader, ids: Collection[str], workspaces: Collection[str]) -> Any:
    wanted = select_runs().add_columns(experiments.c.workspace).select_from(ALL_RUNS)
    return reader.rows(wanted.where(runs.c.run_uuid.in_(ids), experiments.c.workspace.in_(workspaces), *ALIVE))


def _metrics(reader: Reader, ids: Collection[str]) -> dict[str, str]:
    """run id → its first metric by name, that of the machine left out."""
    if not ids:
        return {}
    of_runs = latest_metrics.c.run_uuid.in_(ids), latest_metrics.c.key.not_like("system/%")
    first = select(latest_metrics.c.run_uuid, func.min(latest_metrics.c.key).label("key")).where(*of_runs)
    named = first.group_by(latest_metrics.c.run_uuid).subquery()
    same = and_(latest_metrics.c.run_uuid == named.c.run_uuid, latest_metrics.c.key == named.c.key)
    rows = reader.rows(select(latest_metrics).select_from(latest_metrics.join(named, same)))
    return {row.run_uuid: f"{row.key[:60]} {logged(row.value, row.is_nan):.4g}" for row in rows}


def _card(repository: Repository, row: Any, metric: str) -> Card:
    name = row.name or row.run_uuid[:8]
    note = " · ".join(filter(None, [(row.status or "").lower(), metric]))
    return Card(url(repository, "experiments/runs", row.run_uuid), f"run {name}"[:200], note)


unfurling.register(Kind(Area.EXPERIMENTS, find, word="run", rest=_ID, page=rf"experiments/runs/(?P<named>{_ID})"))
