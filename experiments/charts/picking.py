"""Which runs a comparison is of: named by id, of any repository that the reader may read, or all that pass a filter.

Ids are unique among repositories. Those of what one may not read are as if absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, case, literal

from experiments.database import Reader, experiments, reading, runs
from experiments.filters import sql
from experiments.filters.syntax import Node
from experiments.mlflow.context import repository_id_of, workspace_of
from experiments.ordering import ALL_RUNS
from experiments.runs import ALIVE, select_runs
from experiments.table import hiding
from hub.accounts.actor import Actor, Area
from hub.lib.errors import Invalid, NotFound
from repos.models import Repository

LEAST_RUNS, MOST_RUNS = 2, 500
MOST_NAMED = 100  # runs of one address; more are a stored selection


@dataclass(frozen=True)
class Asked:
    """run_ids: in the order they were chosen. within: id → "owner/name" where the address says whose it is.

    filter: only those that pass.
    """

    run_ids: tuple[str, ...]
    within: Mapping[str, str] = field(default_factory=dict)
    filter: Node | None = None


@dataclass(frozen=True)
class Picked:
    """rows: of select_runs() with their workspace, in the order asked. repositories: whose they are, by workspace.

    missing: ids that are not here. out: runs that the filter leaves out.
    """

    rows: list[Any]
    repositories: dict[str, Repository]
    missing: int = 0
    out: int = 0

    @property
    def ids(self) -> list[str]:
        return [row.run_uuid for row in self.rows]

    def repository(self, row: Any) -> Repository:
        return self.repositories[row.workspace]


def picked(actor: Actor, home: Repository, asked: Asked, *, least: int = LEAST_RUNS) -> Picked:
    """One statement, and one query more when runs of other repositories are asked for.

    home: a repository that the actor may read. Raises Invalid for too few or too many ids, NotFound when not one of
    their runs is here.
    """
    ids = list(dict.fromkeys(asked.run_ids))
    if not least <= len(ids) <= MOST_RUNS:
        raise wrong_number(len(ids), MOST_RUNS)
    with reading() as reader:
        rows = reader.rows(_named(ids, asked.filter, postgresql=reader.postgresql))
    repositories = readable(actor, home, {row.workspace for row in rows})
    found = {row.run_uuid: row for row in rows if row.workspace in repositories}
    for run_id, name in asked.within.items():
        if run_id in found and repositories[found[run_id].workspace].full_name.lower() != name.lower():
            del found[run_id]
    if ids and not found:
        raise NotFound("There are no such runs here.")
    shown = [found[run_id] for run_id in ids if run_id in found and found[run_id].passes]
    return Picked(shown, repositories, missing=len(ids) - len(found), out=len(found) - len(shown))


def wrong_number(count: int, most: int) -> Invalid:
    problem = f"{LEAST_RUNS} to {most} runs can be compared; this address names {count}."
    if count > most == MOST_NAMED:
        problem = f"{LEAST_RUNS} to {most} runs can be named by an address; this one names {count}."
        return Invalid(problem, details=f"Compare up to {MOST_RUNS} by a stored selection: the table of runs makes it.")
    return Invalid(problem, details="Tick the runs in the table of experiments, then choose Compare.")


def readable(actor: Actor, home: Repository, workspaces: set[str]) -> dict[str, Repository]:
    """Those of these workspaces whose repository the actor may read."""
    found = {workspace_of(home.pk): home}
    named = (repository_id_of(one) for one in workspaces - found.keys())
    others = {one for one in named if one is not None}
    if others:
        visible = Repository.objects.visible_to(actor, area=Area.EXPERIMENTS).filter(pk__in=others)
        found |= {workspace_of(one.pk): one for one in visible.select_related("owner")}
    return found


def _named(ids: Sequence[str], filter: Node | None, *, postgresql: bool) -> Any:
    passes: ColumnElement[Any] = literal(1)
    if filter is not None:
        passes = case((sql.condition(filter, postgresql=postgresql), 1), else_=0)
    wanted = select_runs().add_columns(experiments.c.workspace, passes.label("passes"))
    return wanted.select_from(ALL_RUNS).where(runs.c.run_uuid.in_(ids), *ALIVE)


@dataclass(frozen=True)
class Chosen:
    """The runs that a chart is of, as conditions: ids that were picked, or all of a repository that pass a filter.

    repositories: whose they may be, by workspace. show: see hiding; what was picked is shown, archived or not.
    """

    repositories: Mapping[str, Repository]
    ids: tuple[str, ...] | None = None
    filter: Node | None = None
    experiment_id: int | None = None
    show: str = hiding.EVERY

    def conditions(self, reader: Reader) -> list[ColumnElement[bool]]:
        """On ALL_RUNS."""
        found: list[ColumnElement[bool]] = [experiments.c.workspace.in_(list(self.repositories)), *ALIVE]
        if self.ids is not None:
            found.append(runs.c.run_uuid.in_(self.ids))
        if self.filter is not None:
            found.append(sql.condition(self.filter, postgresql=reader.postgresql))
        if self.experiment_id is not None:
            found.append(runs.c.experiment_id == self.experiment_id)
        return [*found, *hiding.condition(self.show, self.filter)]


def chosen(found: Picked) -> Chosen:
    return Chosen(found.repositories, tuple(found.ids))
