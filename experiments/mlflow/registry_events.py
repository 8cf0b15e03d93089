"""What MLflow's clients changed of registered models goes into the audit log, as what people change through the hub's
pages does (experiments.registry.changes): the history on a model's page is made of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from experiments.mlflow.context import workspace_of
from experiments.registry import reading
from experiments.registry.reading import Model, Version
from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.lib.errors import NotFound
from repos.models import Repository

logger = logging.getLogger("covey.mlflow")
MOST_CHARACTERS = 200  # of a value
_Told = tuple[str, str, Any, Any]  # action, subject, before, after
_Body = dict[str, Any]
Old = Model | Version | None
_PLACE = "2.0/mlflow/"


def before(repository: Repository, path: str, body: bytes) -> Old:
    """What a call is about to change, as it is; None when that is not there or cannot be known. The call itself goes on
    whatever happens here: MLflow says what is wrong with it."""
    try:
        given = json.loads(body or b"{}")
        workspace, name = workspace_of(repository.pk), str(given["name"])
        if _call(path).startswith("model-versions/"):
            return reading.version(workspace, name, int(given["version"]))
        return reading.model(workspace, name)
    except (NotFound, ValueError, KeyError, TypeError):
        return None
    except Exception:
        logger.exception("what a call changes of a model of repository %s is not known", repository.pk)
        return None


def record(
    actor: Actor, repository: Repository, method: str, path: str, body: bytes, answer: bytes, old: Old = None
) -> None:
    """Called when MLflow has answered 200, in a thread; old: of before(). The change itself stands whatever happens
    here."""
    try:
        if told := event_of(method, path, body, answer, old):
            action, subject, before, after = told
            audit.record(action, actor, of=repository, subject=subject, before=before, after=after)
    except Exception:
        logger.exception("a change of a model of repository %s is not in its history", repository.pk)


def is_told(method: str, path: str) -> bool:
    """Whether a call changes a registered model."""
    return (method, _call(path)) in _EVENTS


def event_of(method: str, path: str, body: bytes, answer: bytes, old: Old = None) -> _Told | None:
    make = _EVENTS.get((method, _call(path)))
    given = json.loads(body or b"{}")
    return make(given, json.loads(answer or b"{}"), old) if make and isinstance(given, dict) else None


def _call(path: str) -> str:
    return path.partition(_PLACE)[2]


def _text(given: _Body, name: str) -> str:
    return str(given.get(name) or "").replace("\0", "�")[:MOST_CHARACTERS]


def _subject(given: _Body) -> str:
    """The model's name, or "name/3" for its version 3."""
    version = _text(given, "version")
    return f"{given.get('name', '')}/{version}" if version else str(given.get("name", ""))


def _short(text: str) -> str:
    return text.replace("\0", "�")[:MOST_CHARACTERS]


def _created(given: _Body, _: _Body, old: Old) -> _Told:
    return "model.create", _subject(given), None, None


def _renamed(given: _Body, _: _Body, old: Old) -> _Told:
    return "model.rename", str(given.get("new_name", "")), _text(given, "name"), _text(given, "new_name")


def _described(given: _Body, _: _Body, old: Old) -> _Told:
    return (
        "model.describe",
        _subject(given),
        (_short(old.description) or None) if old else None,
        _text(given, "description"),
    )


def _deleted(given: _Body, _: _Body, old: Old) -> _Told:
    known = {"versions": old.versions, "aliases": old.aliases or None} if isinstance(old, Model) else None
    return "model.delete", _subject(given), known, None


def _tagged(given: _Body, _: _Body, old: Old) -> _Told:
    key = _text(given, "key")
    was = old.tags.get(str(given.get("key"))) if old else None
    return "model.tag", _subject(given), None if was is None else {key: _short(was)}, {key: _text(given, "value")}


def _untagged(given: _Body, _: _Body, old: Old) -> _Told | None:
    key = _text(given, "key")
    was = old.tags.get(str(given.get("key"))) if old else None
    if old and was is None:
        return None  # MLflow answers 200, and nothing is changed
    return "model.tag-delete", _subject(given), {"tag": key} if was is None else {key: _short(was)}, None


def _aliased(given: _Body, _: _Body, old: Old) -> _Told:
    alias = _text(given, "alias")
    after = {"alias": alias, "version": _text(given, "version")}
    return "model.alias", _subject(given), _pointed(alias, old), after


def _unaliased(given: _Body, _: _Body, old: Old) -> _Told | None:
    alias = _text(given, "alias")
    known = _pointed(alias, old)
    if old and known is None:
        return None  # the same
    return "model.alias-delete", _subject({**given, **(known or {})}), known or {"alias": alias}, None


def _pointed(alias: str, old: Old) -> _Body | None:
    was = old.aliases.get(alias) if isinstance(old, Model) else None
    return {"alias": alias, "version": was} if was else None


def _registered(given: _Body, answer: _Body, old: Old) -> _Told:
    made = answer.get("model_version", {})
    after = {"run": _text(made, "run_id"), "source": _text(given, "source"), "version": _text(made, "version")}
    return "model.register", _subject(made), None, after


def _moved(given: _Body, _: _Body, old: Old) -> _Told:
    others = {"others": "archived"} if given.get("archive_existing_versions") else {}
    known = {"stage": old.stage} if isinstance(old, Version) else None
    return "model.stage", _subject(given), known, {"stage": _text(given, "stage"), **others}


def _version_deleted(given: _Body, _: _Body, old: Old) -> _Told:
    known: _Body = {"version": _text(given, "version")}
    if isinstance(old, Version):
        known |= {"run": _short(old.run_id), "source": _short(old.source), "aliases": old.aliases or None}
    return "model.version-delete", _subject(given), known, None


_EVENTS: dict[tuple[str, str], Callable[[_Body, _Body, Old], _Told | None]] = {
    ("POST", "registered-models/create"): _created,
    ("POST", "registered-models/rename"): _renamed,
    ("PATCH", "registered-models/update"): _described,
    ("DELETE", "registered-models/delete"): _deleted,
    ("POST", "registered-models/set-tag"): _tagged,
    ("DELETE", "registered-models/delete-tag"): _untagged,
    ("POST", "registered-models/alias"): _aliased,
    ("DELETE", "registered-models/alias"): _unaliased,
    ("POST", "model-versions/create"): _registered,
    ("POST", "model-versions/transition-stage"): _moved,
    ("PATCH", "model-versions/update"): _described,
    ("DELETE", "model-versions/delete"): _version_deleted,
    ("POST", "model-versions/set-tag"): _tagged,
    ("DELETE", "model-versions/delete-tag"): _untagged,
}
