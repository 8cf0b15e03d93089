"""/plots/diff/{base}...{head}: what `dvc plots diff` shows."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import answers
from datasets.answers import Answer, RevObject
from datasets.stages import plot_shapes, plots
from datasets.views.pipelines import two_revs
from hub.accounts.actor import Area
from repos import access
from repos.api import gate


class PlotErrorObject(TypedDict):
    """side: base or head. source: the file, "" for the plot as a whole."""

    side: str
    source: str
    message: str


class SeriesObject(TypedDict):
    """x, y: as long as each other; numbers, texts or null."""

    side: str
    file: str
    field: str
    x: list[Any]
    y: list[Any]


class PlotObject(TypedDict):
    """kind: points, or image with the path at each side. x, y: the fields that are drawn."""

    id: str
    kind: str
    errors: list[PlotErrorObject]
    title: NotRequired[str]
    template: NotRequired[str]
    x: NotRequired[str]
    y: NotRequired[str]
    x_label: NotRequired[str]
    y_label: NotRequired[str]
    series: NotRequired[list[SeriesObject]]
    images: NotRequired[dict[str, str]]


class PlotProblemObject(TypedDict):
    side: str
    message: str


class PlotsDiffObject(Answer):
    base: RevObject
    head: RevObject
    plots: NotRequired[list[PlotObject]]
    problems: NotRequired[list[PlotProblemObject]]


class PlotsDiff(APIView):
    """The points of every plot that dvc.yaml declares at either side, as series of x and y: 200, or 202 with the
    progress while they are read. ?plot= asks for one alone."""

    answers = {"get": dict.fromkeys((200, 202), PlotsDiffObject)}
    queries = {"get": {"plot": str}}

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        access.require_scope(gate.actor_of(request), Area.REPO, write=False)
        user_id = request.user.pk if request.user.is_authenticated else None
        found = plots.plots_diff(two_revs(repository, rest), user_id=user_id)
        answer = plot_shapes.plots_diff(found, only=request.query_params.get("plot"))
        return Response(answer, status=answers.status_code(found.state), headers=answers.headers(found.state))
