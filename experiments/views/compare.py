"""Runs side by side, and their curves. The whole state is in the URL: run=… (twice or more) or selection=, q=,
baseline=, metric=, and how the charts are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import colours, compare_rows, comparison, curves_shape, shapes
from experiments.charts import address, picking, python
from experiments.comparison import Comparison, Question
from experiments.models import TableSettings
from experiments.numbers import number
from experiments.runs import Run
from experiments.table.addresses import link
from experiments.table.columns import written
from experiments.table.state import settings_of
from experiments.views import conditional
from experiments.views.charts import DRAWN, section
from experiments.views.runs import PRIVATE, readable
from hub.accounts.http import HubRequest

AXES = {"": "Step", "time": "Relative time", "wall": "Wall time"}
KEPT = ("run", "selection", "baseline")


@require_GET
def compare(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    agreed = settings_of(repository)
    question = address.question(address.runs_of(request.actor, repository, request.GET), request.GET, agreed.baseline)
    found = comparison.compare(question)
    if request.GET.get("format") == "json":
        return JsonResponse(shapes.comparison(found), headers=PRIVATE)
    return render(request, "experiments/compare.html", _shown(agreed, request.GET, question, found))


@require_GET
def curves(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The curves of ?key= of the runs as JSON, in buckets; ?from= and ?to= look closer."""
    repository = readable(request, owner, name)
    picked = address.runs_of(request.actor, repository, request.GET, least=1)
    return conditional.answer(request, picked, lambda: curves_shape.curves(picked, request.GET))


def _shown(agreed: TableSettings, given: QueryDict, question: Question, found: Comparison) -> dict[str, object]:
    repository, axis = agreed.repository, given.get("axis", "")
    source = _source(given)
    return {
        "repository": repository,
        "tab": "experiments",
        "found": found,
        "question": question,
        "runs": [_head(found, given, run, row) for run, row in zip(found.runs, found.picked.rows, strict=True)],
        "sections": _sections(found, question, agreed.directions),
        "most_names": comparison.most_names(len(found.runs)),
        "charts": [(key, f"{source}&{urlencode({'key': key})}") for key in found.charts],
        "axis": axis,
        "axes": AXES | ({axis: axis} if axis.startswith("metrics.") else {}),
        "given": given,
        "smooth": _smoothing(given.get("smooth", "")),
        "without_filter": link(given, q=None),
        "kept": [(key, value) for key in KEPT for value in given.getlist(key)],
        "drawn": [(key, given.get(key, "")) for key in ("q", *DRAWN)],
        "json": f"{link(given)}&format=json",
        "python": python.comparison(found),
        **section(
            given, source, [written(kind, key) for kind in ("params", "metrics") for key in found.names[kind][:20]]
        ),
    }


def _sections(found: Comparison, question: Question, declared: Mapping[str, str]) -> list[tuple[str, str, str, bool]]:
    """(kind, title, rows, whether there are more) of each table."""
    tables: list[tuple[str, str, str, bool]] = [
        (kind, title, compare_rows.html(kind, found, declared), kind in found.cut)
        for kind, title in (("metrics", "Metrics"), ("params", "Parameters"), ("tags", "Tags"))
    ]
    if not question.name:
        tables.append(("runs", "Runs", compare_rows.attributes(found, differences=question.differences), False))
    return tables


def _head(found: Comparison, given: QueryDict, run: Run, row: Any) -> dict[str, object]:
    """What stands above a run's column."""
    named = [one for one in given.getlist("run") if one.rpartition(":")[2] != run.run_id]
    removable = "selection" not in given and len(named) >= picking.LEAST_RUNS
    return {
        "run": run,
        "repository": found.picked.repository(row),
        "hue": colours.hue(run.run_id),
        "is_baseline": run is found.baseline,
        "as_baseline": link(given, baseline="" if run is found.baseline else run.run_id),
        "without": without(given, named, run.run_id) if removable else "",
    }


def _smoothing(text: str) -> str:
    """0 to 0.99, as the slider takes it; 0 for what is no such number."""
    value = number(text)
    return text if value is not None and 0 <= value <= 0.99 else "0"


def _source(given: QueryDict) -> str:
    """The runs, as the charts ask for them."""
    return urlencode([(key, value) for key in ("run", "selection") for value in given.getlist(key)])


def without(given: QueryDict, rest: list[str], run_id: str) -> str:
    """The same address without one of its runs."""
    kept = [(key, value) for key, values in given.lists() for value in values if key != "run"]
    pairs = [*(("run", one) for one in rest), *(pair for pair in kept if pair != ("baseline", run_id))]
    return "?" + urlencode(pairs)
