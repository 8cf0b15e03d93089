"""Charts of the values of many runs: their page for a filter, their JSON, the table below them, stored selections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from experiments import asking, colours
from experiments.charts import address, picking, selections, shapes, values
from experiments.charts.picking import Asked, Chosen
from experiments.charts.values import Values
from experiments.filters.errors import FilterError
from experiments.mlflow.context import workspace_of
from experiments.views import conditional
from experiments.views.runs import PRIVATE, readable
from hub.accounts.http import HubRequest
from repos.models import Repository

# What a page's form carries along unseen, for its scripts to change: how its charts are drawn.
DRAWN = ("columns", "colour", "logs", "from", "to", "x", "y", "by", "size", "better")
GIVEN = ("run", "selection", "q", "experiment", "show")  # which runs
FRONTS = (("", "none"), ("max,min", "x high, y low"), ("max,max", "both high"), ("min,min", "both low"),
          ("min,max", "x low, y high"))  # fmt: skip
MOST_ROWS = 100  # of the table below a chart
Shape = Callable[[Chosen, QueryDict], dict[str, Any]]


@require_GET
def charts(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Charts of all runs that ?q= and ?experiment= let through."""
    repository = readable(request, owner, name)
    try:
        asked, error = address.charted(request.actor, repository, request.GET), None
    except FilterError as refused:
        asked, error = Chosen({workspace_of(repository.pk): repository}), refused
    source = urlencode([(key, request.GET[key]) for key in ("experiment", "show") if request.GET.get(key)])
    shown = {
        "repository": repository,
        "tab": "experiments",
        "given": request.GET,
        "error": error,
        "drawn": [(key, request.GET.get(key, "")) for key in ("experiment", "show", *DRAWN)],
        **section(request.GET, source, [] if error else values.suggested(asked)),
    }
    return render(request, "experiments/charts.html", shown, status=400 if error else 200)


def section(given: QueryDict, source: str, known: Sequence[str]) -> dict[str, object]:
    """What _charts.html shows. source: the runs, as its JSON is asked for them. known: columns that they have.

    Without columns= the JSON chooses the axes."""
    columns = address.axes(given) or known
    metrics = [column for column in columns if column.startswith("metrics.")]
    others = [column for column in columns if not column.startswith("metrics.")]
    return {
        "chart_x": (metrics[:-1] or others or [""])[0],
        "chart_by": (others or ["status"])[0],
        "fronts": FRONTS,
        "source": source,
        "chart_columns": ",".join(address.axes(given) or ()),
        "chart_colour": given.get("colour", ""),
        "chart_metric": (metrics or [""])[-1],
        "known": list(dict.fromkeys([*columns, *known, *values.ATTRIBUTES])),
    }


def _answer(shape: Shape) -> Callable[..., HttpResponse]:
    @require_GET
    def view(request: HubRequest, owner: str, name: str) -> HttpResponse:
        repository = readable(request, owner, name)
        asked = address.charted(request.actor, repository, request.GET)
        return conditional.answer(request, asked, lambda: shape(asked, request.GET))

    return view


table = _answer(shapes.table)
importance = _answer(shapes.importance)
boxes = _answer(shapes.boxes)
pareto = _answer(shapes.pareto)


@require_GET
def rows(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The runs of a chart as a table of its columns, ?sort= first: the first MOST_ROWS."""
    repository = readable(request, owner, name)
    asked = address.charted(request.actor, repository, request.GET)
    columns = (address.axes(request.GET) or ())[: values.MOST_COLUMNS - 1]  # one more may be sorted by
    sort = asking.plain(request.GET.get("sort", ""))
    sorting = list(filter(values.is_column, [sort.removeprefix("-")]))
    most = values.MOST_RUNS if sorting else MOST_ROWS
    read = values.read(asked, [*columns, *sorting], most=most)
    shown = [_row(asked, read, i, columns) for i in order(read, sort)[:MOST_ROWS]]
    heads = [{"name": one, "label": one.partition(".")[2] or one, "sorted": _sorted(sort, one)} for one in columns]
    given = [(key, value) for key in GIVEN for value in request.GET.getlist(key)]
    context = {"repository": repository, "columns": heads, "rows": shown, "total": read.total, "given": given}
    answer = render(request, "experiments/_chart_rows.html", context | {"most": picking.MOST_RUNS})
    answer.headers["Cache-Control"] = PRIVATE["Cache-Control"]
    return answer


def _sorted(sort: str, name: str) -> str:
    """As aria-sort says it."""
    return {name: "ascending", f"-{name}": "descending"}.get(sort, "")


def order(read: Values, sort: str) -> list[int]:
    """Places of the runs by a column (a "-" before it: the greatest first); those without a value last."""
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    places = list(range(len(read.ids)))
    if not any(column.name == name for column in read.columns):
        return places
    column = read.column(name)

    def sortable(i: int) -> bool:
        value = column.values[i]
        return value is not None and value == value  # not NaN

    there = [i for i in places if sortable(i)]
    there.sort(key=lambda i: column.values[i], reverse=backwards)  # type: ignore[arg-type, return-value]  # of one kind
    return [*there, *(i for i in places if not sortable(i))]


def _row(asked: Chosen, read: Values, i: int, columns: Sequence[str]) -> dict[str, Any]:
    run_id = read.ids[i]
    cells = [read.column(name).values[i] for name in columns]
    return {"run_id": run_id, "name": read.names[i], "hue": colours.hue(run_id), "cells": cells,
            "base": asked.repositories[read.workspaces[i]].get_absolute_url()}  # fmt: skip


@require_POST
def select(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """On to the comparison of run=…, or with all= of the newest that a chart shows; many are stored as a selection."""
    repository = readable(request, owner, name)
    ids = _all(request, repository) if "all" in request.POST else list(address.named(request.POST))
    compare = reverse("experiments:compare", args=[repository.owner.name, repository.name])
    if len(ids) <= picking.MOST_NAMED:
        return HttpResponseRedirect(f"{compare}?{urlencode([('run', one) for one in ids])}")
    if request.actor.user is None:
        return redirect_to_login(reverse("experiments:charts", args=[repository.owner.name, repository.name]))
    kept = picking.picked(request.actor, repository, Asked(tuple(ids))).ids
    return HttpResponseRedirect(f"{compare}?selection={selections.keep(repository, request.actor.user, kept)}")


def _all(request: HubRequest, repository: Repository) -> list[str]:
    asked = address.charted(request.actor, repository, request.POST)
    return values.read(asked, [], most=picking.MOST_RUNS).ids
