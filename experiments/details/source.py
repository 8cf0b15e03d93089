"""What a run says that it ran: a script of the repository, a notebook, an entry point of a project, a command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from experiments.runs import Run
from repos.git import read
from repos.models import Repository
from repos.place import store_of

NAME, ENTRY_POINT, BACKEND = "mlflow.source.name", "mlflow.project.entryPoint", "mlflow.project.backend"
COMMANDS = ("dvc ", "mlflow ")
MOST_FOLDERS = 12  # of a path on somebody's machine that may lie outside of the repository
MOST_PARAMS, MOST_CHARACTERS = 50, 500


def script(repository: Repository, run: Run, commit: str) -> str:
    """`/home/maya/birds/src/train.py` → `src/train.py`, when that is a file of the commit; a command of dvc or mlflow
    as it is; "" for what a clone does not have."""
    name = run.tags.get(NAME, "").strip()
    if "\n" in name or len(name) > MOST_CHARACTERS:
        return ""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]
    for start in range(min(len(parts), MOST_FOLDERS) if commit and ".." not in parts else 0):
        path = "/".join(parts[start:])
        entry = read.find_entry(store_of(repository), commit, path)
        if entry is not None and entry.kind == "file":
            return path
    return name if name.startswith(COMMANDS) else ""


def command(run: Run, script: str) -> str:
    """A line for a shell, "" where nothing is known to run."""
    entry = run.tags.get(ENTRY_POINT, "")
    if entry and run.tags.get(BACKEND, "local") == "local":
        return " ".join(["mlflow run .", f"-e {shlex.quote(entry)}", *_given(run.params)])
    if script.startswith(COMMANDS):
        return script
    if script.endswith(".ipynb"):
        return f"jupyter execute {shlex.quote(script)}"
    return f"python {shlex.quote(script)}" if script.endswith(".py") else ""


def _given(params: Mapping[str, str]) -> list[str]:
    return [f"-P {shlex.quote(f'{key}={value}')}" for key, value in list(params.items())[:MOST_PARAMS]]
