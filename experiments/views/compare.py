"""Runs side by side, and their curves. The whole state is in the URL: run=… (twice or more), baseline=, metric=."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import asking, colours, compare_rows, comparison, curves_shape, shapes
from experiments.comparison import Comparison, Question
from experiments.mlflow.context import workspace_of
from experiments.table.addresses import link
from experiments.views.runs import PRIVATE, readable
from hub.accounts.http import HubRequest
from repos.models import Repository

AXES = {"": "Step", "time": "Relative time", "wall": "Wall time"}


@require_GET
def compare(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    question = asking.question(workspace_of(repository.pk), request.GET)
    found = comparison.compare(question)
    if request.GET.get("format") == "json":
        return JsonResponse(shapes.comparison(found), headers=PRIVATE)
    return render(request, "experiments/compare.html", _shown(repository, request.GET, question, found))


@require_GET
def curves(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The curves of ?key= of each ?run= as JSON, in buckets; ?from= and ?to= look closer."""
    repository = readable(request, owner, name)
    return JsonResponse(curves_shape.curves(workspace_of(repository.pk), request.GET), headers=PRIVATE)


def _shown(repository: Repository, given: QueryDict, question: Question, found: Comparison) -> dict[str, object]:
    axis = given.get("axis", "") if given.get("axis") in AXES else ""
    runs = urlencode([("run", run.run_id) for run in found.runs])
    shown = [run.run_id for run in found.runs]
    return {
        "repository": repository,
        "tab": "experiments",
        "found": found,
        "question": question,
        "runs": [
            {
                "run": run,
                "hue": colours.hue(run.run_id),
                "is_baseline": run is found.baseline,
                "as_baseline": link(given, baseline=None if run is found.baseline else run.run_id),
                "without": without(given, shown, run.run_id) if len(shown) > comparison.LEAST_RUNS else "",
            }
            for run in found.runs
        ],
        "sections": [
            (kind, title, compare_rows.html(kind, found), kind in found.cut)
            for kind, title in (("metrics", "Metrics"), ("params", "Parameters"), ("tags", "Tags"))
        ],
        "charts": [(key, f"{runs}&{urlencode({'key': key, 'axis': axis})}") for key in found.charts],
        "axis": axis,
        "axes": AXES,
        "logarithmic": given.get("log") == "1",
        "kept": [(key, value) for key, values in given.lists() for value in values if key in {"run", "baseline"}],
        "json": f"{link(given)}&format=json",
    }


def without(given: QueryDict, shown: list[str], run_id: str) -> str:
    """The same address without one of its runs."""
    rest = [("run", one) for one in shown if one != run_id]
    kept = [(key, value) for key, values in given.lists() for value in values if key != "run"]
    return "?" + urlencode([*rest, *((key, value) for key, value in kept if (key, value) != ("baseline", run_id))])
