"""What the runs came from: the code of their commits, and the versions of data these commits and their inputs name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datasets.tracked.tracking import tracked
from experiments.beside.sides import Side
from experiments.beside.tables import Table, table
from experiments.details import inputs
from hub.lib.errors import HubError
from repos import diffs
from repos.diffs import Options
from repos.place import url

MOST_OUTPUTS = 5_000  # of one commit


@dataclass(frozen=True)
class CodeDiff:
    """From the base's commit to another run's. problem: why there is none."""

    side: Side
    problem: str = ""
    files: int = 0
    added: int = 0
    removed: int = 0
    url: str = ""
    data_url: str = ""


def code(base: Side, others: Sequence[Side]) -> list[CodeDiff]:
    """One for each run whose commit is not the base's; git is asked once per pair of commits."""
    return [_code(base, side) for side in others]


def _code(base: Side, side: Side) -> CodeDiff:
    if side.repository.pk != base.repository.pk:
        return CodeDiff(side, "It is a run of another repository.")
    if not (base.commit and side.commit):
        return CodeDiff(side, "One of the two names no commit that was pushed here.")
    if base.commit == side.commit:
        return CodeDiff(side, "The same commit.")
    try:
        found = diffs.between(base.repository, base.commit, side.commit, Options())
    except HubError as error:
        return CodeDiff(side, error.message)
    return CodeDiff(
        side,
        "",
        found.total,
        found.added,
        found.removed,
        url(base.repository, "compare", f"{base.commit}..{side.commit}"),
        url(base.repository, "datasets/diff", f"{base.commit}...{side.commit}"),
    )


def data(sides: Sequence[Side], *, differences: bool) -> Table:
    """A row per dataset: what the commit tracks by its path, what the run said that it read by its name."""
    return table([_data(side) for side in sides], differences=differences)


def _data(side: Side) -> dict[str, str]:
    found: dict[str, str] = {}
    if side.commit:
        outputs = tracked(side.repository, side.commit).outputs
        found = {path: output.out.oid for path, output in list(outputs.items())[:MOST_OUTPUTS] if output.out.oid}
    for one in inputs.of_run(side.repository, side.run.run_id):
        context = f" ({one.context})" if one.context else ""
        found[f"{one.name}{context}"] = one.digest
    return found
