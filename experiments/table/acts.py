"""What people do to many runs at once, and its undoing: archive, delete, restore, tag, rename.

Runs made from git can be archived only: a commit would make them again as they were.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from experiments import indexing
from experiments.mlflow import bulk
from experiments.mlflow.context import workspace_of
from experiments.models import RunsAct
from experiments.runs import ACTIVE, DELETED
from experiments.table import version
from experiments.tracked import marks
from hub.accounts.models import User
from hub.lib.errors import Invalid, NotFound, Unprocessable
from repos.models import Repository

MOST_RUNS = 500
MOST_NAME, MOST_TAG = 250, 5000  # characters; MLflow's own limits
MOST_LABEL = 128  # DagsHub's limit
KEPT = timedelta(days=1)
_KEY = re.compile(r"[\w.\-/: ]{1,250}")
_DONE = {
    "archive": "archived", "unarchive": "brought back from the archive", "delete": "deleted", "restore": "restored",
    "tag": "tagged", "rename": "renamed",
}  # fmt: skip


def archive(repository: Repository, user: User, run_ids: Sequence[str], *, archived: bool = True) -> RunsAct:
    verb, value = ("archive", "1") if archived else ("unarchive", None)
    with bulk.changing() as connection:
        here = bulk.names(connection, workspace_of(repository.pk), _checked(run_ids))
        before = bulk.values(connection, list(_some(here)), marks.ARCHIVED_TAG)
        bulk.tag(connection, marks.ARCHIVED_TAG, dict.fromkeys(here, value))
    return _kept(repository, user, verb, {run_id: before.get(run_id) for run_id in here})


def delete(repository: Repository, user: User, run_ids: Sequence[str]) -> RunsAct:
    return _moved(repository, user, run_ids, "delete", ACTIVE, DELETED)


def restore(repository: Repository, user: User, run_ids: Sequence[str]) -> RunsAct:
    return _moved(repository, user, run_ids, "restore", DELETED, ACTIVE)


def tag(repository: Repository, user: User, run_ids: Sequence[str], key: str, value: str) -> RunsAct:
    """An empty value removes the tag. Raises Unprocessable for a key that is none."""
    if not _KEY.fullmatch(key) or key.startswith(("mlflow.", marks.HUB_TAGS)):
        raise Unprocessable(
            f"A tag cannot be called {key[:60]!r}.",
            details="Use up to 250 letters, digits, spaces and ._-/: and no name that begins with mlflow. or covey.",
        )
    _check_text(value, MOST_TAG, "The value")
    with bulk.changing() as connection:
        here = _changeable(bulk.names(connection, workspace_of(repository.pk), _checked(run_ids)))
        before = bulk.values(connection, list(here), key)
        bulk.tag(connection, key, dict.fromkeys(here, value or None))
    return _kept(repository, user, "tag", {"key": key, "values": {run_id: before.get(run_id) for run_id in here}})


def label(repository: Repository, run_ids: Sequence[str], label: str, *, given: bool = True) -> None:
    """Runs made from git too. given: else it is taken away, which those without it bear. Raises Unprocessable for a
    label that is none, NotFound."""
    if not label.strip() or len(label) > MOST_LABEL:
        raise Unprocessable("This is no label.", details=f"Use 1 to {MOST_LABEL} characters.")
    _check_text(label, MOST_LABEL, "The label")
    with bulk.changing() as connection:
        here = _some(bulk.names(connection, workspace_of(repository.pk), _checked(run_ids)))
        bulk.tag(connection, f"{marks.LABEL_TAGS}{label}", dict.fromkeys(here, "1" if given else None))
    version.changed(repository.pk)


def rename(repository: Repository, user: User, run_ids: Sequence[str], name: str) -> RunsAct:
    """Of many, each gets a number after the name."""
    if not name.strip():
        raise Unprocessable("A run needs a name.", details="Write one beside Rename.")
    _check_text(name, MOST_NAME - 5, "The name")
    with bulk.changing() as connection:
        here = _changeable(bulk.names(connection, workspace_of(repository.pk), _checked(run_ids)))
        several = len(here) > 1
        bulk.rename(connection, {one: f"{name} {at}" if several else name for at, one in enumerate(here, 1)})
    return _kept(repository, user, "rename", here)


def undo(repository: Repository, user: User, number: int) -> str:
    """Back to what was before one's own act; what it was. Raises NotFound."""
    act = RunsAct.objects.filter(pk=number, repository=repository, user=user).first()
    if act is None:
        raise NotFound("There is nothing to undo here.")
    workspace = workspace_of(repository.pk)
    with bulk.changing() as connection:
        values: dict[str, Any] = act.before["values"] if act.verb == "tag" else act.before
        stage = DELETED if act.verb == "delete" else ACTIVE
        here = list(bulk.names(connection, workspace, list(values), stage=stage))
        if act.verb in {"delete", "restore"}:
            bulk.move(connection, here, ACTIVE if act.verb == "delete" else DELETED)
        elif act.verb == "rename":
            bulk.rename(connection, {run_id: values[run_id] for run_id in here})
        else:
            key = act.before["key"] if act.verb == "tag" else marks.ARCHIVED_TAG
            bulk.tag(connection, key, {run_id: values[run_id] for run_id in here})
    act.delete()
    version.changed(repository.pk)
    indexing.refresh(repository.pk)
    return f"Undone: {said(act)}"


def said(act: RunsAct) -> str:
    """3 runs archived."""
    count = len(act.before["values"] if act.verb == "tag" else act.before)
    return f"{count:,} run{'' if count == 1 else 's'} {_DONE[act.verb]}."


def last(repository: Repository, user: User, number: int) -> RunsAct | None:
    return RunsAct.objects.filter(pk=number, repository=repository, user=user).first()


def _moved(repository: Repository, user: User, run_ids: Sequence[str], verb: str, stage: str, to: str) -> RunsAct:
    with bulk.changing() as connection:
        found = bulk.names(connection, workspace_of(repository.pk), _checked(run_ids), stage=stage)
        here = _changeable(found)
        bulk.move(connection, list(here), to)
    indexing.refresh(repository.pk)
    return _kept(repository, user, verb, dict.fromkeys(here))


def _kept(repository: Repository, user: User, verb: str, before: dict[str, Any]) -> RunsAct:
    version.changed(repository.pk)
    RunsAct.objects.filter(user=user, made__lt=timezone.now() - KEPT).delete()
    return RunsAct.objects.create(repository=repository, user=user, verb=verb, before=before)


def _checked(run_ids: Sequence[str]) -> Sequence[str]:
    if not run_ids:
        raise Invalid("No run is chosen.", details="Tick runs in the table first.")
    if len(run_ids) > MOST_RUNS:
        raise Invalid(f"At most {MOST_RUNS:,} runs are changed at once.", details="Choose fewer.")
    return run_ids


def _some(here: dict[str, str]) -> dict[str, str]:
    """Raises NotFound for none."""
    if not here:
        raise NotFound("There are no such runs here.")
    return here


def _changeable(here: dict[str, str]) -> dict[str, str]:
    """Those that were logged. Raises Unprocessable when all were made from git."""
    found = {run_id: name for run_id, name in _some(here).items() if not marks.is_tracked(run_id)}
    if not found:
        raise Unprocessable(
            "These runs are made from commits.", details="Change them by a commit; here they can be archived."
        )
    return found


def _check_text(text: str, most: int, what: str) -> None:
    if len(text) > most or "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Unprocessable(f"{what} cannot be kept.", details=f"Write at most {most:,} characters of plain text.")
