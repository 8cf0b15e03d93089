"""/experiments/compare: runs side by side, their curves, the values and statistics of their charts, as JSON.

The runs are run=… (an id, or owner/name:id; at most 100), selection=… (up to 500), or, for values and statistics, all
that q= lets through. Ids of what the caller may not read are as if absent.
"""

from __future__ import annotations

from typing import Any, ClassVar, NotRequired, TypedDict

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import comparison, curves_shape
from experiments import shapes as run_shapes
from experiments.api.runs import readable
from experiments.charts import address, picking, selections, shapes
from experiments.charts.picking import LEAST_RUNS, MOST_RUNS, Asked, Chosen
from hub.accounts.actor import Area
from hub.lib.api import valid
from hub.lib.api_schema import created
from repos.access import require_scope
from repos.api import gate

RUNS = {"run": str, "selection": str}


class ChosenRuns(serializers.Serializer):
    runs = serializers.ListField(
        child=serializers.CharField(max_length=36), min_length=LEAST_RUNS, max_length=MOST_RUNS
    )


class SelectionObject(TypedDict):
    selection: str


class CurvesObject(TypedDict):
    """method: what the values are, in words. curves: of each run, or the band of each group."""

    key: str
    axis: str
    method: str
    curves: list[dict[str, Any]]


class ValuesObject(TypedDict):
    """columns: name, kind (number or text) and values in the order of the runs; of texts by their place in texts."""

    total: int
    runs: int
    columns: list[dict[str, Any]]
    ids: NotRequired[list[str]]
    names: NotRequired[list[str]]
    hues: NotRequired[list[int]]


class ImportanceObject(TypedDict):
    """least: of so few runs nothing is said."""

    metric: str
    runs: int
    least: int
    params: list[dict[str, Any]]


class BoxesObject(TypedDict):
    by: str
    value: str
    total: int
    left_out: int
    boxes: list[dict[str, Any]]


class ParetoObject(TypedDict):
    """front: the runs that none beats in both."""

    x: str
    y: str
    better: list[str]
    total: int
    front: list[dict[str, Any]]


class Compared(APIView):
    """Runs side by side; differences=1 leaves out what is the same in all."""

    answers = {"get": run_shapes.ComparisonObject}
    queries = {"get": {**RUNS, "differences": bool}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        picked = address.runs_of(gate.actor_of(request), readable(request, owner, name), request.query_params)
        found = comparison.compare(address.question(picked, request.query_params))
        return Response(run_shapes.comparison(found))


class Curves(APIView):
    """The curves of the metric ?key=, in at most ?buckets= (2,000) buckets each; axis is step, time, wall or another
    metric; ?group=params.… gives the mean ± standard deviation of each group of runs."""

    answers = {"get": CurvesObject}
    queries = {"get": {**RUNS, **dict.fromkeys(("key", "axis", "group"), str), "buckets": int}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        picked = address.runs_of(gate.actor_of(request), repository, request.query_params, least=1)
        return Response(curves_shape.curves(picked, request.query_params))


class _Chart(APIView):
    queries: ClassVar[dict[str, Any]] = {"get": {**RUNS, "q": str}}
    shape: ClassVar[staticmethod[[Chosen, QueryDict], dict[str, Any]]]

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        asked = address.charted(gate.actor_of(request), repository, request.query_params)
        return Response(self.shape(asked, request.query_params))


class Values(_Chart):
    """The values of ?columns=a,b of up to 10,000 runs, by column; ?ids=1 names the runs, ?digits=5 rounds."""

    answers = {"get": ValuesObject}
    shape = staticmethod(shapes.table)


class Importance(_Chart):
    """How much each param matters to ?metric=: Spearman's ρ for numbers, the correlation ratio for few texts."""

    answers = {"get": ImportanceObject}
    shape = staticmethod(shapes.importance)


class Boxes(_Chart):
    """Quartiles of ?metric= by the categories of the column ?by=."""

    answers = {"get": BoxesObject}
    shape = staticmethod(shapes.boxes)


class Pareto(_Chart):
    """The runs that none beats in both ?x= and ?y=; ?better=max,min says which way is better."""

    answers = {"get": ParetoObject}
    shape = staticmethod(shapes.pareto)


class Selections(APIView):
    """Keep a choice of up to 500 runs: {"runs": [ids]} → {"selection": key}, which compare takes as selection=."""

    inputs = {"post": ChosenRuns}
    answers = {"post": created(SelectionObject)}

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        actor, user = gate.signed_in(request)
        require_scope(actor, Area.EXPERIMENTS, write=True)
        given = valid(ChosenRuns, request)
        picked = picking.picked(actor, repository, Asked(tuple(given["runs"])))
        return Response({"selection": selections.keep(repository, user, picked.ids)}, status=201)
