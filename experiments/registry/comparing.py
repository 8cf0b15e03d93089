"""Two versions of a model side by side: what their runs logged, their tags, what they take and give, what they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments import runs
from experiments.deltas import delta, signed
from experiments.mlflow.context import workspace_of
from experiments.registry import files, reading
from experiments.registry.reading import Version
from experiments.runs import Run
from hub.lib.errors import NotFound
from hub.templatetags.covey import measured


@dataclass(frozen=True)
class Row:
    """One name with both values as text; None where a side has none. delta: of metrics, signed."""

    name: str
    values: tuple[str | None, str | None]
    delta: str = ""

    @property
    def differs(self) -> bool:
        return self.values[0] != self.values[1]


@dataclass(frozen=True)
class Compared:
    """runs: those they came from, None where a run is not here any more. sections: (title, rows)."""

    versions: list[Version]
    runs: list[Run | None]
    sections: list[tuple[str, list[Row]]]


def compare(repository_id: int, name: str, numbers: list[int]) -> Compared:
    """Two versions of one model. Raises NotFound."""
    workspace = workspace_of(repository_id)
    found = reading.some_versions(workspace, name, numbers)
    sources = [_run(workspace, version.run_id) for version in found]
    said = [files.signature(repository_id, version) for version in found]
    sections = [
        ("Metrics", _metrics(sources)),
        ("Parameters", _rows([run.params if run else {} for run in sources])),
        ("Signature", _rows([_signature(signature) for signature, _ in said])),
        ("Requirements", _rows([{line: "needed" for line in lines} for _, lines in said])),
        ("Tags", _rows([version.tags for version in found])),
    ]
    return Compared(found, sources, [(title, rows) for title, rows in sections if rows])


def _run(workspace: str, run_id: str) -> Run | None:
    try:
        return runs.run(workspace, run_id)[0] if run_id else None
    except NotFound:
        return None


def _metrics(sources: list[Run | None]) -> list[Row]:
    base, head = (run.metrics if run else {} for run in sources)
    rows = []
    for key in sorted({*base, *head}):
        values = (base.get(key), head.get(key))
        more = delta(values[1], values[0]) if values[1] is not None else None
        shown = tuple(None if value is None else measured(value) for value in values)
        rows.append(Row(key, (shown[0], shown[1]), "" if more is None else signed(more)))
    return rows


def _rows(sides: list[dict[str, str]]) -> list[Row]:
    base, head = sides
    return [Row(key, (base.get(key), head.get(key))) for key in sorted({*base, *head})]


def _signature(signature: dict[str, list[Any]]) -> dict[str, str]:
    return {
        f"{side.removesuffix('s')} {name}": f"{kind}{' (optional)' if optional else ''}"
        for side, columns in signature.items()
        for name, kind, optional in columns
    }
