"""`run:<id>`, `model:<name>/<number>`, `models:/<name>/<number>` and the addresses of runs and versions of models in
texts: a run with its status and a metric, all of a page in two statements; versions with their stage, in one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import and_, func, select

from experiments.database import Reader, experiments, latest_metrics, logged, reading, runs
from experiments.mlflow.context import workspace_of
from experiments.ordering import ALL_RUNS
from experiments.registry import reading as registry
from experiments.runs import ALIVE, select_runs
from hub.accounts.actor import Actor, Area
from repos.issues import unfurling
from repos.issues.unfurling import Card, Kind
from repos.models import Repository
from repos.place import url

_ID = r"[0-9a-f]{32}"
_NUMBER = r"[1-9][0-9]{0,8}"
_VERSION = rf"\w[\w.-]{{0,99}}/{_NUMBER}"  # of a name that needs no quoting; addresses may have any


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


def find_versions(actor: Actor, asked: Mapping[Repository, Collection[str]]) -> dict[Repository, dict[str, Card]]:
    """Texts are "name/number", or as addresses have it "name/versions/number"."""
    homes = {workspace_of(repository.pk): repository for repository in asked}
    wanted: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for repository, texts in asked.items():
        for text in texts:
            name, _, number = text.strip("/").replace("/versions/", "/").rpartition("/")
            wanted[workspace_of(repository.pk), name, int(number)].append(text)
    found: dict[Repository, dict[str, Card]] = defaultdict(dict)
    with reading() as reader:
        rows = registry.versions_at(reader, wanted)
    for row in rows:
        card = _version_card(homes[row.workspace], row)
        found[homes[row.workspace]] |= dict.fromkeys(wanted[row.workspace, row.name, row.version], card)
    return found


def _version_card(repository: Repository, row: Any) -> Card:
    stage = row.current_stage if row.current_stage not in {None, "None"} else ""
    status = "" if row.status in {None, "READY"} else row.status.lower().replace("_", " ")
    says = next((line for text in (row.description or "").splitlines() if (line := text.lstrip("# ").strip())), "")
    note = " · ".join(filter(None, [stage, status, says[:100]]))
    address = url(repository, "models", row.name, "versions", str(row.version))
    return Card(address, f"model {row.name} v{row.version}"[:200], note)


unfurling.register(Kind(Area.EXPERIMENTS, find, word="run", rest=_ID, page=rf"experiments/runs/(?P<named>{_ID})"))
unfurling.register(
    Kind(
        Area.EXPERIMENTS,
        find_versions,
        word="model",
        rest=_VERSION,
        page=rf"models/(?P<named>[^/]{{1,256}}/versions/{_NUMBER})",
    )
)
unfurling.register(Kind(Area.EXPERIMENTS, find_versions, word="models", rest=f"/{_VERSION}"))
