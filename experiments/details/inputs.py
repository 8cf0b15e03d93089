"""The data that a run says it read (MLflow's inputs), joined to what this repository tracks by equal digests."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import and_, select

from datasets.models import DatasetChange, DatasetVersion
from experiments.database import datasets, input_tags, inputs, rows_of
from repos.models import Repository
from repos.place import url

MOST = 200
CONTEXT = "mlflow.data.context"


@dataclass(frozen=True)
class Input:
    """context: what it was for (train, test), "" when nothing was said. source: an address, as far as it is known.

    path: of the dataset of this repository that has the same hash, "" for none; url: of that version.
    """

    name: str
    digest: str
    context: str
    kind: str
    source: str
    path: str = ""
    url: str = ""


def of_run(repository: Repository, run_id: str) -> list[Input]:
    """One statement, and two queries when there are any."""
    said = and_(input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == CONTEXT)
    joined = inputs.join(datasets, datasets.c.dataset_uuid == inputs.c.source_id).outerjoin(input_tags, said)
    columns = [datasets.c.name, datasets.c.digest, datasets.c.dataset_source_type, datasets.c.dataset_source]
    wanted = (
        select(*columns, input_tags.c.value.label("context"))
        .select_from(joined)
        .where(inputs.c.source_type == "DATASET", inputs.c.destination_type == "RUN", inputs.c.destination_id == run_id)
    )
    rows = rows_of(wanted.order_by(datasets.c.name, datasets.c.digest).limit(MOST))
    known = _tracked(repository, {row.digest for row in rows})
    found = []
    for row in rows:
        path, address = known.get(row.digest, ("", ""))
        source = _address(row.dataset_source or "")
        kind = row.dataset_source_type or ""
        found.append(Input(row.name, row.digest, row.context or "", kind, source, path, address))
    return found


def _tracked(repository: Repository, digests: set[str]) -> dict[str, tuple[str, str]]:
    """digest → (path, address) of the version whose DVC md5 it is; the first path by name where several share it."""
    named = {f"md5:{digest}{end}": digest for digest in digests for end in ("", ".dir")}
    if not named:
        return {}
    versions = DatasetVersion.objects.filter(repository=repository, identity__in=named).order_by("path")
    changes = (
        DatasetChange.objects.filter(version__in=versions).select_related("version").order_by("version__path", "pk")
    )
    found: dict[str, tuple[str, str]] = {}
    for change in changes[: MOST * 10]:
        version = change.version
        assert version is not None
        page = "tree" if version.is_dir else "blob"
        address = url(repository, page, change.commit, version.path)
        found.setdefault(named[version.identity], (version.path, address))
    return found


def _address(source: str) -> str:
    """MLflow keeps JSON whose shape depends on the kind; the first name of a place in it."""
    try:
        told = json.loads(source)
    except (ValueError, RecursionError):
        return source[:300]
    if isinstance(told, dict):
        for name in ("uri", "url", "path", "table_name"):
            if isinstance(told.get(name), str):
                return str(told[name])[:300]
    return ""
