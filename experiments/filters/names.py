"""The names that a filter, a column or a sort order may use."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

from experiments.filters.errors import FilterError
from experiments.filters.syntax import Kind, Name

Type = Literal["text", "status", "time", "seconds", "number"]
ATTRIBUTES: dict[str, Type] = {
    "name": "text", "status": "status", "user": "text", "id": "text", "experiment": "text", "artifact_uri": "text",
    "start": "time", "end": "time", "duration": "seconds", "experiment_id": "number",
    "source": "text",  # mlflow, commit, exp or dagshub
}  # fmt: skip
_ALIASES = {  # MLflow's names, and words people try
    "run_name": "name", "run name": "name", "run": "name", "user_id": "user", "run_id": "id", "run_uuid": "id",
    "start_time": "start", "started": "start", "created": "start", "end_time": "end", "ended": "end", "finished": "end",
    "experiment_name": "experiment",
}  # fmt: skip
TAGGED = {  # kept by MLflow's clients as tags
    "commit": "mlflow.source.git.commit", "branch": "mlflow.source.git.branch", "script": "mlflow.source.name",
    "parent": "mlflow.parentRunId", "note": "mlflow.note.content",
    "data": "covey.data",  # the version of the data of its commit
    "archived": "covey.archived",  # set by the table of runs, which hides them
}  # fmt: skip
_PREFIXES: dict[str, Kind] = {
    "metrics": "metrics", "metric": "metrics", "params": "params", "param": "params", "parameters": "params",
    "parameter": "params", "tags": "tags", "tag": "tags", "attributes": "attributes", "attribute": "attributes",
    "attr": "attributes", "datasets": "datasets", "dataset": "datasets",
}  # fmt: skip
_OF_DATASETS = ("name", "digest", "context")
STATUSES = {
    "running": "RUNNING", "scheduled": "SCHEDULED", "waiting": "SCHEDULED", "finished": "FINISHED", "failed": "FAILED",
    "killed": "KILLED", "stopped": "KILLED",
}  # fmt: skip


def prefix_of(word: str) -> tuple[Kind | None, str]:
    """ "param.lr" → ("params", "lr"); a word without a known prefix → (None, the word)."""
    prefix, dot, rest = word.partition(".")
    kind = _PREFIXES.get(prefix.lower())
    return (kind, rest) if kind and dot else (None, word)


def resolved(kind: Kind | None, key: str, position: int) -> Name:
    """Raises FilterError for an attribute that runs do not have."""
    if kind == "datasets":
        if key.lower() not in _OF_DATASETS:
            raise FilterError(f"datasets have no “{key[:60]}”.", position, expected="name, digest or context")
        return Name(kind, key.lower())
    if kind in {"metrics", "params", "tags"}:
        if not key:
            raise FilterError(f"the name after “{kind}.” is missing.", position, suggestion=f"{kind}.`my name` > 0")
        return Name(kind, key)
    return _attribute(key, position)


def _attribute(word: str, position: int) -> Name:
    name = word.lower()
    name = _ALIASES.get(name, name)
    if name in TAGGED:
        return Name("tags", TAGGED[name])
    if name in ATTRIBUTES:
        return Name("attributes", name)
    near = get_close_matches(name[:60], [*ATTRIBUTES, *TAGGED, *_ALIASES, *_PREFIXES], n=1)
    meant = f"{near[0]}.…" if near and near[0] in _PREFIXES else near[0] if near else f"metrics.{word[:60]}"
    raise FilterError(
        f"runs have no “{word[:60]}”.",
        position,
        expected="metrics.…, params.…, tags.…, name, status, user, start, end, duration or experiment",
        suggestion=meant,
    )
