"""What people change about a run on its page: its note, and whether it is here. MLflow's own store writes it."""

from __future__ import annotations

from experiments import indexing
from experiments.mlflow.inside import stores
from experiments.table import version
from hub.accounts.models import User
from hub.lib.errors import Invalid
from repos.models import Repository

NOTE = "mlflow.note.content"
NOTE_CHARACTERS = 8000  # what MLflow's table takes of a tag


def set_note(repository: Repository, user: User, run_id: str, text: str) -> None:
    """An empty text removes the note. Raises Invalid, NotFound, Unprocessable for a deleted run."""
    if len(text) > NOTE_CHARACTERS:
        raise Invalid(f"A note holds at most {NOTE_CHARACTERS:,} characters; this one has {len(text):,}.")
    if "\0" in text:
        raise Invalid("A note cannot hold a NUL character.")
    with stores(repository.pk, user=user.username) as opened:
        from mlflow.entities import RunTag

        if text.strip():
            opened.tracking.set_tag(run_id, RunTag(NOTE, text))
        elif NOTE in opened.tracking.get_run(run_id).data.tags:
            opened.tracking.delete_tag(run_id, NOTE)
    version.changed(repository.pk)


def delete(repository: Repository, user: User, run_id: str) -> None:
    """It can be restored; deleting twice is fine. Raises NotFound."""
    with stores(repository.pk, user=user.username) as opened:
        opened.tracking.delete_run(run_id)
    indexing.refresh(repository.pk)


def restore(repository: Repository, user: User, run_id: str) -> None:
    """Raises NotFound."""
    with stores(repository.pk, user=user.username) as opened:
        opened.tracking.restore_run(run_id)
    indexing.refresh(repository.pk)
