"""Changes of registered models by people: MLflow's store does them, the audit log says who did what.

The subject of an event is the model's name, or "name/3" for its version 3 (no name holds a slash).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.db import transaction
from django.db.models import Q

from experiments import indexing, runs
from experiments.mlflow import registry, rules
from experiments.mlflow.context import workspace_of
from experiments.registry import files, reading
from experiments.registry.reading import Version
from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent
from hub.lib.errors import Invalid, NotFound, Unprocessable
from repos.models import Repository

STAGES = ("None", "Staging", "Production", "Archived")
MOST_NAME, MOST_TEXT, MOST_KEY = 256, 5000, 250
MOST_EVENTS = 30
_ALIAS = re.compile(r"[\w-]{1,255}", re.ASCII)
_RESERVED = re.compile(r"latest|v\d+", re.IGNORECASE)


def register(
    actor: Actor, repository: Repository, run_id: str, *, name: str, path: str = "", model_id: str = "", text: str = ""
) -> Version:
    """A new version of a model, from a folder of a run's artifacts or from a model it logged (model_id).

    Raises NotFound, or Unprocessable for a name that cannot be one and for files that are not there."""
    run, name = runs.bare(workspace_of(repository.pk), run_id), _name(name)
    source, place = _logged(repository, run_id, model_id) if model_id else _folder(run.artifact_uri, path)
    if not files.exists(repository.pk, place):
        raise Unprocessable("This run left no file there.", details="Choose one of the folders among its artifacts.")
    with _told("model.register", actor, repository, name, after={"run": run_id, "source": source}) as event:
        number = registry.register(
            repository.pk, user=actor.username, name=name, source=source, run_id=run_id, description=_text(text)
        )
        event["subject"], event["after"]["version"] = f"{name}/{number}", number
    indexing.refresh(repository.pk)
    return reading.version(workspace_of(repository.pk), name, number)


def describe(actor: Actor, repository: Repository, name: str, version: int | None, text: str) -> None:
    """The description of a model, or of a version of it."""
    old, text = _described(repository, name, version), _text(text)
    with _told(
        "model.describe", actor, repository, _subject(name, version), before=old[:200] or None, after=text[:200]
    ):
        if version is None:
            registry.describe_model(repository.pk, user=actor.username, name=name, text=text)
        else:
            registry.describe_version(repository.pk, user=actor.username, name=name, version=version, text=text)


def set_alias(actor: Actor, repository: Repository, name: str, alias: str, version: int) -> None:
    """Point an alias at a version; it leaves the one it pointed at."""
    if not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias):
        problem = "An alias is 1 to 255 letters, digits, '-' and '_'; 'latest' and 'v3' are reserved."
        raise Unprocessable(problem, details="Try champion.")
    old = reading.model(workspace_of(repository.pk), name).aliases.get(alias)
    reading.version(workspace_of(repository.pk), name, version)
    sides = {"before": {"alias": alias, "version": old} if old else None, "after": {"alias": alias, "version": version}}
    with _told("model.alias", actor, repository, _subject(name, version), **sides):
        registry.set_alias(repository.pk, user=actor.username, name=name, alias=alias, version=version)


def delete_alias(actor: Actor, repository: Repository, name: str, alias: str) -> None:
    """Raises NotFound."""
    old = reading.model(workspace_of(repository.pk), name).aliases.get(alias)
    if old is None:
        raise NotFound("There is no such alias.")
    before = {"alias": alias, "version": old}
    with _told("model.alias-delete", actor, repository, _subject(name, old), before=before):
        registry.delete_alias(repository.pk, user=actor.username, name=name, alias=alias)


def set_tag(actor: Actor, repository: Repository, name: str, version: int | None, key: str, value: str) -> None:
    """Of a version, or of the model when there is none."""
    key, value = key.strip(), _text(value)
    if not key or len(key) > MOST_KEY or "\0" in key or key.startswith("mlflow."):
        raise Unprocessable(f"A tag's name is 1 to {MOST_KEY} characters and does not begin with 'mlflow.'.")
    old = _tags(repository, name, version).get(key)
    sides = {"before": {key: old[:200]} if old is not None else None, "after": {key: value[:200]}}
    with _told("model.tag", actor, repository, _subject(name, version), **sides):
        registry.set_tag(repository.pk, user=actor.username, name=name, version=version, key=key, value=value)


def delete_tag(actor: Actor, repository: Repository, name: str, version: int | None, key: str) -> None:
    """Raises NotFound."""
    old = _tags(repository, name, version).get(key)
    if old is None or key.startswith("mlflow."):
        raise NotFound("There is no such tag.")
    with _told("model.tag-delete", actor, repository, _subject(name, version), before={key: old[:200]}):
        registry.delete_tag(repository.pk, user=actor.username, name=name, version=version, key=key)


def set_stage(
    actor: Actor, repository: Repository, name: str, version: int, stage: str, *, archive: bool = False
) -> None:
    """archive: versions that are Staging or Production already become Archived."""
    if stage not in STAGES:
        raise Unprocessable(f"A stage is {', '.join(STAGES)}.")
    old = reading.version(workspace_of(repository.pk), name, version).stage
    archive = archive and stage in {"Staging", "Production"}
    sides = {"before": {"stage": old}, "after": {"stage": stage, **({"others": "archived"} if archive else {})}}
    with _told("model.stage", actor, repository, _subject(name, version), **sides):
        registry.set_stage(repository.pk, user=actor.username, name=name, version=version, stage=stage, archive=archive)


def delete_version(actor: Actor, repository: Repository, name: str, version: int) -> None:
    """The version and the aliases that point at it; its files stay with their run."""
    found = reading.version(workspace_of(repository.pk), name, version)
    before = {"version": version, "run": found.run_id, "source": found.source[:200], "aliases": found.aliases or None}
    with _told("model.version-delete", actor, repository, _subject(name, version), before=before):
        registry.delete_version(repository.pk, user=actor.username, name=name, version=version)


def delete_model(actor: Actor, repository: Repository, name: str) -> None:
    """The model with all its versions; their files stay with their runs."""
    found = reading.model(workspace_of(repository.pk), name)
    before = {"versions": found.versions, "aliases": found.aliases or None}
    with _told("model.delete", actor, repository, name, before=before):
        registry.delete_model(repository.pk, user=actor.username, name=name)
    indexing.refresh(repository.pk)


def history(repository: Repository, name: str, version: int | None = None) -> list[AuditEvent]:
    """What people changed of a model (or of one version), through the hub's pages and API or with a client of
    MLflow, the newest first."""
    about = Q(subject=_subject(name, version))
    if version is None:
        about |= Q(subject__startswith=f"{name}/")
    events = AuditEvent.objects.filter(about, repository_id=repository.pk, action__startswith="model.")
    return list(events.order_by("-pk")[:MOST_EVENTS])


# ---- the parts -----------------------------------------------------------------------------------
@contextmanager
def _told(action: str, actor: Actor, repository: Repository, subject: str, **sides: Any) -> Iterator[dict[str, Any]]:
    """Record an event when the block has done its work; the block may complete what it says."""
    event: dict[str, Any] = {"subject": subject, **sides}
    yield event
    with transaction.atomic():
        audit.record(action, actor, of=repository, **event)


def _subject(name: str, version: int | None) -> str:
    return name if version is None else f"{name}/{version}"


def _name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= MOST_NAME or set("/:\0") & set(name) or name in {".", ".."}:
        raise Unprocessable(f"A model's name is 1 to {MOST_NAME} characters without '/' and ':'.")
    return name


def _text(text: str) -> str:
    if len(text) > MOST_TEXT or "\0" in text:
        raise Unprocessable(f"A text of a model is at most {MOST_TEXT:,} characters.")
    return text


def _described(repository: Repository, name: str, version: int | None) -> str:
    workspace = workspace_of(repository.pk)
    found = reading.model(workspace, name) if version is None else reading.version(workspace, name, version)
    return found.description


def _tags(repository: Repository, name: str, version: int | None) -> dict[str, str]:
    workspace = workspace_of(repository.pk)
    found = reading.model(workspace, name) if version is None else reading.version(workspace, name, version)
    return found.tags


def _logged(repository: Repository, run_id: str, model_id: str) -> tuple[str, str]:
    """(source, place) of a model that this run logged. Raises NotFound."""
    for row in reading.logged_of_run(workspace_of(repository.pk), run_id):
        if row.model_id == model_id:
            return f"models:/{model_id}", row.artifact_location
    raise NotFound("This run logged no such model.")


def _folder(artifact_uri: str, path: str) -> tuple[str, str]:
    """(source, place) of a folder among a run's artifacts. Raises Unprocessable for a path that is not plain."""
    try:
        clean = rules.clean_path(quote(path.strip().strip("/")))
    except Invalid as error:
        raise Unprocessable(error.message, details=error.details) from error
    place = f"{artifact_uri}/{clean}" if clean else artifact_uri
    return place, place
