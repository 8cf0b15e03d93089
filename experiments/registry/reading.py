"""Registered models of one repository: a page of them, one of them, one version; each in a few statements."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from experiments.database import (
    Reader,
    aliases,
    experiments,
    holds,
    logged_models,
    model_tags,
    model_versions,
    reading,
    registered_models,
    rows_of,
    version_tags,
)
from experiments.runs import moment
from hub.lib.errors import NotFound

PROMPT_TAG = "mlflow.prompt.is_prompt"
DELETED_STAGE = "Deleted_Internal"  # how MLflow marks a version that was deleted
MOST_TAGS = 500
LARGEST_VERSION = 2**31 - 1
_LOGGED = re.compile(r"models:/(m-[0-9a-f]{32})/?")


@dataclass(frozen=True)
class Model:
    """A registered model. latest: number of its newest version, 0 for none; versions: how many there are.

    aliases: name → number of a version. updated: of the model, a version or their tags, as MLflow counts it.
    """

    name: str
    description: str
    created: datetime | None
    updated: datetime | None
    latest: int = 0
    versions: int = 0
    aliases: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The first line of its description that says something."""
        return next((line for row in self.description.splitlines() if (line := row.lstrip("# ").strip())), "")


@dataclass(frozen=True)
class Version:
    """source: as the client named it; location: where the files are. run_id: "" when none was named.

    status: READY, PENDING_REGISTRATION or FAILED_REGISTRATION. stage: None, Staging, Production or Archived.
    """

    model: str
    number: int
    description: str
    created: datetime | None
    updated: datetime | None
    stage: str
    status: str
    status_message: str
    source: str
    location: str
    run_id: str
    aliases: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.model} v{self.number}"

    @property
    def logged_id(self) -> str:
        """The id of the logged model it was made from; "" when it was made from a path."""
        match = _LOGGED.fullmatch(self.source)
        return match[1] if match else ""


def count(workspace: str) -> int:
    found = rows_of(select(func.count()).select_from(registered_models).where(*_models_of(workspace)))
    return int(found[0][0]) if found else 0


def counts() -> dict[str, int]:
    """workspace → its models, of every repository in one query."""
    counted = select(registered_models.c.workspace, func.count()).where(_no_prompt(registered_models))
    return {workspace: number for workspace, number in rows_of(counted.group_by(registered_models.c.workspace))}


def models(workspace: str, *, text: str = "", start: int = 0, limit: int = 50) -> list[Model]:
    """Those whose name or a tag's value holds a text, the one that changed last first. Four statements."""
    wanted = select(registered_models).where(*_models_of(workspace), *_holding(workspace, text))
    order = func.coalesce(registered_models.c.last_updated_time, registered_models.c.creation_time).desc()
    with reading() as reader:
        rows = reader.rows(wanted.order_by(order, registered_models.c.name).offset(start).limit(limit))
        return _filled(reader, workspace, rows)


def model(workspace: str, name: str) -> Model:
    """Raises NotFound, also for another repository's."""
    with reading() as reader:
        return _model(reader, workspace, name)


def versions(workspace: str, name: str, *, start: int = 0, limit: int = 50) -> list[Version]:
    """The versions of a model, the newest first."""
    with reading() as reader:
        return _versions(reader, workspace, name, start=start, limit=limit)


def version(workspace: str, name: str, number: int) -> Version:
    """Raises NotFound, also for a deleted one and another repository's."""
    with reading() as reader:
        found = _versions(reader, workspace, name, numbers=[number])
    if not found:
        raise NotFound("There is no such version here.")
    return found[0]


def some_versions(workspace: str, name: str, numbers: Iterable[int]) -> list[Version]:
    """Of these numbers, in their order. Raises NotFound when one is not here."""
    wanted = list(numbers)
    with reading() as reader:
        found = {row.number: row for row in _versions(reader, workspace, name, numbers=wanted)}
    if missing := [number for number in wanted if number not in found]:
        raise NotFound(f"There is no version {missing[0]} here.")
    return [found[number] for number in wanted]


def versions_at(reader: Reader, wanted: Iterable[tuple[str, str, int]]) -> list[Any]:
    """The rows of those that there are, of (workspace, model, number) of any repositories; one statement."""
    columns = model_versions.c
    each = [and_(columns.workspace == w, columns.name == name, columns.version == n) for w, name, n in wanted]
    chosen = select(model_versions).where(columns.current_stage != DELETED_STAGE, _no_prompt(model_versions))
    return list(reader.rows(chosen.where(or_(*each)))) if each else []


def logged_of_run(workspace: str, run_id: str) -> list[Any]:
    """(model_id, name, artifact_location) of the live models that a run logged."""
    source = logged_models.join(experiments, experiments.c.experiment_id == logged_models.c.experiment_id)
    wanted = select(logged_models.c.model_id, logged_models.c.name, logged_models.c.artifact_location)
    mine = (experiments.c.workspace == workspace, logged_models.c.source_run_id == run_id)
    live = logged_models.c.lifecycle_stage == "active"
    return list(rows_of(wanted.select_from(source).where(*mine, live).order_by(logged_models.c.name).limit(MOST_TAGS)))


def versions_of_run(workspace: str, run_id: str) -> list[tuple[str, int]]:
    """(model, version) made from a run."""
    found = select(model_versions.c.name, model_versions.c.version).where(
        model_versions.c.workspace == workspace,
        model_versions.c.run_id == run_id,
        model_versions.c.current_stage != DELETED_STAGE,
        _no_prompt(model_versions),
    )
    rows = rows_of(found.order_by(model_versions.c.name, model_versions.c.version).limit(MOST_TAGS))
    return [(row.name, row.version) for row in rows]


# ---- how it is read ------------------------------------------------------------------------------
def _models_of(workspace: str) -> list[ColumnElement[bool]]:
    return [registered_models.c.workspace == workspace, _no_prompt(registered_models)]


def _no_prompt(table: Any) -> ColumnElement[bool]:
    mark = (model_tags.c.workspace == table.c.workspace, model_tags.c.name == table.c.name)
    says = (model_tags.c.key == PROMPT_TAG, func.lower(model_tags.c.value) == "true")
    return ~exists().where(*mark, *says)


def _holding(workspace: str, text: str) -> list[ColumnElement[bool]]:
    if not text:
        return []
    tagged = select(model_tags.c.name).where(model_tags.c.workspace == workspace, holds(model_tags.c.value, text))
    return [or_(holds(registered_models.c.name, text), registered_models.c.name.in_(tagged))]


def _model(reader: Reader, workspace: str, name: str) -> Model:
    found = reader.rows(select(registered_models).where(*_models_of(workspace), registered_models.c.name == name))
    if not found:
        raise NotFound("There is no such model here.")
    return _filled(reader, workspace, found)[0]


def _filled(reader: Reader, workspace: str, rows: Iterable[Any]) -> list[Model]:
    """With versions, aliases and tags: three statements whatever their number."""
    rows = list(rows)
    names = [row.name for row in rows]
    if not names:
        return []
    known, tags = _aliases(reader, workspace, names), _tags(reader, workspace, names)
    live = _live(workspace, names)
    number = (func.count().label("versions"), func.max(model_versions.c.version).label("latest"))
    counted = select(model_versions.c.name, *number).where(*live).group_by(model_versions.c.name)
    totals = {row.name: (row.latest, row.versions) for row in reader.rows(counted)}
    return [
        Model(
            name=row.name,
            description=row.description or "",
            created=moment(row.creation_time),
            updated=moment(row.last_updated_time or row.creation_time),
            latest=totals.get(row.name, (0, 0))[0],
            versions=totals.get(row.name, (0, 0))[1],
            aliases=known[row.name],
            tags=tags[row.name],
        )
        for row in rows
    ]


def _versions(
    reader: Reader,
    workspace: str,
    name: str,
    *,
    numbers: list[int] | None = None,
    start: int = 0,
    limit: int = 100,
) -> list[Version]:
    wanted = select(model_versions).where(*_live(workspace, [name]), _no_prompt(model_versions))
    if numbers is not None:
        wanted = wanted.where(model_versions.c.version.in_([n for n in numbers if 0 < n <= LARGEST_VERSION]))
    found = reader.rows(wanted.order_by(model_versions.c.version.desc()).offset(start).limit(limit))
    shown = [row.version for row in found]
    if not shown:
        return []
    known = _aliases(reader, workspace, [name])[name]
    mine = and_(version_tags.c.workspace == workspace, version_tags.c.name == name)
    tagged = select(version_tags.c.version, version_tags.c.key, version_tags.c.value)
    tagged = tagged.where(mine, version_tags.c.version.in_(shown)).order_by(version_tags.c.key)
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    for row in reader.rows(tagged.limit(MOST_TAGS * len(shown))):
        tags[row.version][row.key] = row.value or ""
    return [
        Version(
            model=name,
            number=row.version,
            description=row.description or "",
            created=moment(row.creation_time),
            updated=moment(row.last_updated_time),
            stage=row.current_stage or "None",
            status=row.status or "READY",
            status_message=row.status_message or "",
            source=row.source or "",
            location=row.storage_location or row.source or "",
            run_id=row.run_id or "",
            aliases=[alias for alias, number in known.items() if number == row.version],
            tags=tags[row.version],
        )
        for row in found
    ]


def _live(workspace: str, names: list[str]) -> list[ColumnElement[bool]]:
    return [
        model_versions.c.workspace == workspace,
        model_versions.c.name.in_(names),
        model_versions.c.current_stage != DELETED_STAGE,
    ]


def _aliases(reader: Reader, workspace: str, names: list[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    wanted = select(aliases).where(aliases.c.workspace == workspace, aliases.c.name.in_(names))
    for row in reader.rows(wanted.order_by(aliases.c.alias).limit(MOST_TAGS * len(names))):
        found[row.name][row.alias] = row.version
    return found


def _tags(reader: Reader, workspace: str, names: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    wanted = select(model_tags).where(model_tags.c.workspace == workspace, model_tags.c.name.in_(names))
    for row in reader.rows(wanted.order_by(model_tags.c.key).limit(MOST_TAGS * len(names))):
        found[row.name][row.key] = row.value or ""
    return found
