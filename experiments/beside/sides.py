"""The runs that stand beside each other, with the files they left."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from experiments import commits, files
from experiments.charts.picking import Picked
from experiments.database import reading
from experiments.runs import Run, filled
from repos.models import Repository

MOST_RUNS = 12


@dataclass(frozen=True)
class Side:
    """One run. commit: of its repository, "" while none there is bound to it."""

    run: Run
    repository: Repository
    commit: str

    @cached_property
    def files(self) -> dict[str, int]:
        """path → size of the first files that it left."""
        return {file.path: file.size for file in files.listing(self.repository.pk, self.run.artifact_uri)}


def sides(picked: Picked) -> list[Side]:
    """The first MOST_RUNS. One statement, and a query per repository."""
    rows = picked.rows[:MOST_RUNS]
    with reading() as reader:
        found = filled(reader, rows, [])
    owned = [(run, picked.repository(row)) for run, row in zip(found, rows, strict=True)]
    bound: dict[str, str] = {}
    for repository in {repository.pk: repository for _, repository in owned}.values():
        named = {run.run_id: run.commit for run, whose in owned if whose.pk == repository.pk and run.commit}
        bound |= commits.bind(repository, named)
    return [Side(run, repository, bound.get(run.run_id, "")) for run, repository in owned]


def base_of(chosen: list[Side], run_id: str) -> Side | None:
    """What the others are compared with: the named one, else the first."""
    return next((side for side in chosen if side.run.run_id == run_id), chosen[0] if chosen else None)
