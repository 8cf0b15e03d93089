"""/experiments/runs and /experiments/names: what the pages show, as JSON."""

from __future__ import annotations

from typing import TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import asking, keys, listing, shapes
from experiments.mlflow.context import workspace_of
from hub.accounts.actor import Area
from hub.lib.api import whole_number
from repos.api import gate
from repos.models import Repository


class Runs(APIView):
    """A page of the runs that ?q= lets through, in the order of ?sort=, with the values of ?columns=a,b.

    next and previous are what after= and before= take; limit is 1 to 1,000. A filter that cannot be read: 400 with
    its position."""

    answers = {"get": shapes.RunsObject}
    queries = {"get": dict.fromkeys(("q", "sort", "columns", "after", "before"), str) | {"limit": int}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        size = whole_number(request, "limit", default=listing.PAGE_RUNS, maximum=1000)
        query = asking.query(workspace_of(repository.pk), request.query_params, size=size)
        return Response(shapes.page(listing.page(query)))


class NamesObject(TypedDict):
    names: list[str]


class Names(APIView):
    """Up to 50 names of metrics, params and tags that hold ?name=."""

    answers = {"get": NamesObject}
    queries = {"get": {"name": str}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        return Response({"names": keys.search(workspace_of(repository.pk), asking.name(request.query_params))})


def readable(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, area=Area.EXPERIMENTS)
