"""What an address asks of a comparison and its charts: run=… or selection=…, q=, columns=, baseline=, metric=."""

from __future__ import annotations

from django.http import QueryDict

from experiments import asking
from experiments.charts import selections, values
from experiments.charts.picking import LEAST_RUNS, MOST_NAMED, Asked, Chosen, Picked, chosen, picked, wrong_number
from experiments.comparison import Question
from experiments.filters.parser import parse
from experiments.mlflow.context import workspace_of
from experiments.table import hiding
from hub.accounts.actor import Actor
from hub.lib.paging import words_of
from repos.models import Repository


def runs_of(actor: Actor, repository: Repository, given: QueryDict, *, least: int = LEAST_RUNS) -> Picked:
    """The runs of run=… (an id, or owner/name:id) and selection=…, as far as the actor may read them and q= lets them
    through. Raises as picking.picked does, FilterError, and NotFound for a selection that is none."""
    within = named(given)
    if len(within) > MOST_NAMED:
        raise wrong_number(len(within), MOST_NAMED)
    key = given.get("selection", "")
    ids = selections.read(repository, key) if key else []
    whose = {run_id: name for run_id, name in within.items() if name}
    asked = Asked((*ids, *within), whose, parse(given.get("q", "")))
    return picked(actor, repository, asked, least=least)


def charted(actor: Actor, repository: Repository, given: QueryDict) -> Chosen:
    """The runs of a chart: those named as runs_of() reads them, or all of the repository that q= and experiment= let
    through."""
    if "run" in given or "selection" in given:
        return chosen(runs_of(actor, repository, given, least=1))
    asked = asking.query(workspace_of(repository.pk), given)
    show = hiding.LIVE if asked.show == hiding.DELETED else asked.show
    return Chosen({asked.workspace: repository}, None, asked.filter, asked.experiment_id, show)


def named(given: QueryDict) -> dict[str, str]:
    """id → "owner/name", or empty, of each run=… that may be one."""
    pairs = [one.rpartition(":") for one in given.getlist("run")]
    return {run_id: name for name, _, run_id in pairs if asking.is_id(run_id)}


def question(found: Picked, given: QueryDict, agreed: str = "") -> Question:
    """agreed: the baseline where the address names none. Raises Invalid."""
    return Question(
        picked=found,
        baseline=given.get("baseline", agreed),
        differences=given.get("differences") == "1",
        name=words_of(given.get("name", "")),
        charts=tuple(asking.plain(key) for key in given.getlist("metric")) or None,
    )


def axes(given: QueryDict) -> tuple[str, ...] | None:
    """The columns of a chart (columns=a,b), attributes among them; None when nobody named any."""
    if "columns" not in given:
        return None
    named = dict.fromkeys(asking.plain(one) for one in ",".join(given.getlist("columns")).split(","))
    return tuple(one for one in named if values.is_column(one))[: values.MOST_COLUMNS]
