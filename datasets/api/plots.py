"""/plots/diff/{base}...{head}: what `dvc plots diff` shows."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import answers, plot_shapes, plots
from datasets.views.pipelines import two_revs
from hub.accounts.actor import Area
from repos import access
from repos.api import gate


class PlotsDiff(APIView):
    """The points of every plot that dvc.yaml declares at either side, as series of x and y: 200, or 202 with the
    progress while they are read. ?plot= asks for one alone."""

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        access.require_scope(gate.actor_of(request), Area.REPO, write=False)
        user_id = request.user.pk if request.user.is_authenticated else None
        found = plots.plots_diff(two_revs(repository, rest), user_id=user_id)
        answer = plot_shapes.plots_diff(found, only=request.query_params.get("plot"))
        return Response(answer, status=answers.status_code(found.state), headers=answers.headers(found.state))
