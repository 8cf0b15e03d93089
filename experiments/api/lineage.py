"""/lineage/{kind}/{id}: what a thing was made from, and what used it."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.lineage import graph, shapes
from experiments.lineage.entering import entered
from experiments.lineage.reproducing import reproduce
from experiments.views import lineage as page
from hub.accounts.actor import Area
from hub.lib.api import page_of, whole_number
from hub.lib.api_schema import PAGES
from repos.api import gate


class Lineage(APIView):
    """One step both ways, in groups by kind: made_from, used_by; and the lines that reproduce it.

    kind: dataset (id: its oid, or rev/path), file (rev/path), stage, commit (any rev), run or model (name/version).
    page and limit (1 to 100) of every group; depth (1 to 4) adds the graph: nodes, edges by their numbers."""

    answers = {"get": shapes.LineageObject}
    queries = {"get": {**PAGES, "depth": int}}

    def get(self, request: Request, owner: str, name: str, kind: str, id: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.EXPERIMENTS)
        page.require_scopes(gate.actor_of(request))
        number, size = page_of(request)
        depth = whole_number(request, "depth", default=0, minimum=0, maximum=graph.DEPTH)
        ref = entered(repository, kind, id)
        answer = shapes.lineage(page.found_of(repository, ref, page=number, size=size))
        user = gate.actor_of(request).username or "YOUR-NAME"
        answer["reproduce"] = reproduce(repository, ref, user=user).splitlines()
        if depth:
            answer["graph"] = shapes.graph(graph.graph(repository, ref, depth=depth))
        return Response(answer)
