"""The lines with which somebody gets what a run had, and runs it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from datasets.tracking import tracked
from experiments.runs import Run
from hub.lib.errors import HubError
from repos.git import read
from repos.models import Repository
from repos.place import store_of

SOURCE, ENTRY_POINT, BACKEND = "mlflow.source.name", "mlflow.project.entryPoint", "mlflow.project.backend"
MOST_FOLDERS = 12  # of a path on somebody's machine that may lie outside of the repository


def lines(repository: Repository, run: Run, commit: str, *, clone_url: str, patch_url: str | None = None) -> list[str]:
    """Shell commands, one a line. commit: the one of this repository that the run is bound to, "" for none.

    patch_url: where the changes lie that were not committed, "" when they are only on the page, None when there
    are none.
    """
    found = []
    if commit:
        found += [f"git clone {shlex.quote(clone_url)} && cd {shlex.quote(repository.name)}", f"git checkout {commit}"]
        if patch_url is not None:
            token = '-H "Authorization: Bearer $COVEY_TOKEN" ' if repository.private else ""
            fetched = f"curl -fsSL {token}{shlex.quote(patch_url)} | git apply"
            found.append(fetched if patch_url else "git apply changes.patch  # those below")
        if _has_data(repository, commit):
            found.append("dvc pull")
    if command := _command(repository, run, commit):
        found.append(command)
    return found


def _has_data(repository: Repository, commit: str) -> bool:
    try:
        return bool(tracked(repository, commit).outputs)
    except HubError:  # a tree that takes git too long; whoever reproduces the run will see
        return True


def _command(repository: Repository, run: Run, commit: str) -> str:
    """What the client said it ran: a project's entry point, a script, a notebook, or a command."""
    name, entry = run.tags.get(SOURCE, "").strip(), run.tags.get(ENTRY_POINT, "")
    if entry and run.tags.get(BACKEND, "local") == "local":
        return " ".join(["mlflow run .", f"-e {shlex.quote(entry)}", *_given(run.params)])
    if not name or "\n" in name or len(name) > 500:
        return ""
    if name.startswith(("dvc ", "python ", "mlflow ")):
        return name
    path = _in_repository(repository, commit, name) if commit else name
    if path.endswith(".ipynb"):
        return f"jupyter execute {shlex.quote(path)}"
    return f"python {shlex.quote(path)}" if path.endswith(".py") else ""


def _given(params: Mapping[str, str]) -> list[str]:
    return [f"-P {shlex.quote(f'{key}={value}')}" for key, value in list(params.items())[:50]]


def _in_repository(repository: Repository, commit: str, name: str) -> str:
    """`/home/maya/birds/src/train.py` → `src/train.py`, when that is a file of the commit; else the name as it is."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]
    for start in range(min(len(parts), MOST_FOLDERS)):
        path = "/".join(parts[start:])
        entry = None if ".." in parts else read.find_entry(store_of(repository), commit, path)
        if entry is not None and entry.kind == "file":
            return path
    return name
