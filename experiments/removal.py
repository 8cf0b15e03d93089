"""Remove what a deleted repository kept in MLflow: the rows of its workspace in every table, and its artifacts.

The tables and how they hang together are read from the database itself, so that MLflow (seconds, 200 MB) is not loaded
into a worker for this, and a table that a new version brings is not forgotten. Rows go in short transactions, children
first, what names the workspace last: killed in between, the next run finds the rest by it. Artifacts stay while a
backup copies them (hub/lib/backups.py); the next look finds them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache

from django.db import transaction
from sqlalchemy import (
    ColumnElement,
    Engine,
    MetaData,
    Select,
    String,
    Table,
    and_,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from experiments import database
from experiments.mlflow import artifacts
from experiments.mlflow.context import workspace_of
from experiments.models import DataState, LineageIndex, RunCommit, StageRecord, TrackedIndex
from hub.lib import backups
from repos.models import Repository

logger = logging.getLogger("covey.mlflow")
BATCH = 2_000  # rows per transaction: SQLite's other writers wait for no more than this
FILES_AT_ONCE = 200  # artifacts per look at whether a backup has begun
LIMBO = "-gone"  # what reclaiming takes out of a repository goes by way of a workspace of this ending
# Tables that join two rows by (type, id), without foreign keys: type → (table, column) of the id.
LINKS = {
    "inputs": {
        "RUN": ("runs", "run_uuid"),
        "RUN_INPUT": ("runs", "run_uuid"),
        "RUN_OUTPUT": ("runs", "run_uuid"),
        "DATASET": ("datasets", "dataset_uuid"),
        "MODEL_INPUT": ("logged_models", "model_id"),
        "MODEL_OUTPUT": ("logged_models", "model_id"),
    },
    "entity_associations": {
        "experiment": ("experiments", "experiment_id"),
        "evaluation_dataset": ("evaluation_datasets", "dataset_id"),
        "run": ("runs", "run_uuid"),
        "trace": ("trace_info", "request_id"),
    },
}

# Tables that hang on another without a foreign key in the database: table → (its column, the other).
HANGING = {"input_tags": ("input_uuid", "inputs")}


def leftovers() -> list[int]:
    """Deleted repositories that still have rows or artifacts."""
    rows = {workspace for table in _roots() for workspace in _workspaces_in(table)}
    store = artifacts.destination()
    folders = store.workspaces() - rows
    deleted = Repository.objects.filter(deleted__isnull=False).values_list("pk", flat=True)
    named = {pk: workspace_of(pk) for pk in deleted.iterator()}
    # A folder may be empty: S3 stores over a file system list those of removed objects too.
    return [
        pk
        for pk, name in named.items()
        if {name, f"{name}{LIMBO}"} & rows or (name in folders and store.listing(f"workspaces/{name}", 1))
    ]


def remove(repository_id: int) -> int:
    """Remove everything of a deleted repository; how many rows went. Safe to run twice, and at the same time."""
    if not Repository.objects.filter(pk=repository_id, deleted__isnull=False).exists():
        logger.error("repository %s is not deleted; its runs stay", repository_id)
        return 0
    RunCommit.objects.filter(repository=repository_id).delete()
    TrackedIndex.objects.filter(repository=repository_id).delete()
    DataState.objects.filter(repository=repository_id).delete()
    StageRecord.objects.filter(repository=repository_id).delete()
    LineageIndex.objects.filter(repository=repository_id).delete()
    workspace = workspace_of(repository_id)
    removed = remove_rows(f"{workspace}{LIMBO}") + remove_rows(workspace)
    free(f"workspaces/{workspace}")
    return removed


def remove_rows(workspace: str, beat: Callable[[], None] = lambda: None) -> int:
    """Every row of a workspace; how many. beat is called after each transaction."""
    removed = 0
    for table in reversed(tables().sorted_tables):
        condition = belonging(table, workspace)
        while condition is not None and (count := _delete_some(table, condition)):
            removed += count
            beat()
    return removed


def free(prefix: str, beat: Callable[[int], None] = lambda _: None) -> int | None:
    """Remove every artifact below a prefix; the bytes that went, None where a backup holds what is left.

    beat is told of the bytes that went, a little at a time."""
    freed = 0
    while True:
        with transaction.atomic():
            if backups.running():
                return None
            count, size = artifacts.destination().remove_some(prefix, FILES_AT_ONCE)
        if not count:
            return freed
        freed += size
        beat(size)


def belonging(table: Table, workspace: str) -> ColumnElement[bool] | None:
    """Which rows of a table are of this workspace: by its own column, its experiment, or the row it hangs on.

    None for tables that belong to nobody, such as Alembic's.
    """
    if "workspace" in table.c:
        return table.c.workspace == workspace
    if table.name in LINKS:
        return _linked(table, workspace)
    if table.name in HANGING:
        column, other = HANGING[table.name]
        return table.c[column].in_(_ids(other, column, workspace))
    conditions = []
    if "experiment_id" in table.c:
        conditions.append(table.c.experiment_id.in_(_ids("experiments", "experiment_id", workspace)))
        if not table.c.experiment_id.nullable:
            return conditions[0]
    for key in table.foreign_key_constraints:
        above = belonging(key.referred_table, workspace) if key.referred_table is not table else None
        if above is not None:
            theirs = select(*(element.column for element in key.elements)).where(above)
            conditions.append(tuple_(*key.columns).in_(theirs))
    return or_(*conditions) if conditions else None


def _linked(table: Table, workspace: str) -> ColumnElement[bool]:
    ends = []
    for kind, (name, column) in LINKS[table.name].items():
        ids = _ids(name, column, workspace, text=True)
        ends += [
            and_(table.c[f"{end}_type"] == kind, table.c[f"{end}_id"].in_(ids)) for end in ("source", "destination")
        ]
    return or_(*ends)


def _ids(name: str, column: str, workspace: str, *, text: bool = False) -> Select:
    """The ids of a table's rows that are of this workspace; text: as the tables of links write them."""
    table = tables().tables[name]
    above = belonging(table, workspace)
    assert above is not None
    return select(cast(table.c[column], String) if text else table.c[column]).where(above)


def _roots() -> list[Table]:
    """The tables that name a workspace themselves."""
    return [table for table in tables().sorted_tables if "workspace" in table.c]


def _workspaces_in(table: Table) -> set[str]:
    return {row[0] for row in database.rows_of(select(table.c.workspace).distinct())}


def tables() -> MetaData:
    """MLflow's tables as they are; empty while MLflow never ran here."""
    return _reflected(database.engine()) if database.tables_exist() else MetaData()


@lru_cache(maxsize=4)
def _reflected(engine: Engine) -> MetaData:
    found = MetaData()
    found.reflect(engine)
    for name, table in found.tables.items():
        # What is found by an id without a foreign key goes first all the same.
        above = {target for target, _ in LINKS.get(name, {}).values()}
        if "experiment_id" in table.c:
            above.add("experiments")
        if name in HANGING:
            above.add(HANGING[name][1])
        for other in above - {name}:
            table.add_is_dependent_on(found.tables[other])
    return found


def _delete_some(table: Table, condition: ColumnElement[bool]) -> int:
    """Delete up to BATCH rows by their place in the table: no key of theirs need be sent back and forth."""
    with database.engine().begin() as connection:
        if connection.dialect.name == "postgresql":
            place: ColumnElement = literal_column(f'"{table.name}".ctid')
            some = select(place).select_from(table).where(condition).limit(BATCH).scalar_subquery()
            statement = table.delete().where(place == func.any(func.array(some)))
        else:
            place = literal_column(f'"{table.name}".rowid')
            statement = table.delete().where(place.in_(select(place).select_from(table).where(condition).limit(BATCH)))
        return connection.execute(statement).rowcount
