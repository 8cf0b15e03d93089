"""/experiments, /experiments/metricsForExperiments and /experiments/experiment/…, as DagsHub's API has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import asking, dagshub, listing
from experiments.api.runs import readable
from experiments.mlflow.context import workspace_of
from experiments.table import acts
from hub.accounts.actor import Area
from hub.lib.api import valid, whole_number
from hub.lib.api_schema import NOTHING
from repos.api import gate
from repos.models import Access, Repository


class ExperimentsObject(TypedDict):
    """experiments: by the id of the run."""

    experiments: dict[str, dagshub.ExperimentObject]
    isEditor: bool
    nextPageToken: str | None


class Experiments(APIView):
    """A page of the repository's runs by id, newest first, logged ones and those of commits.

    limit: 1 to 500; after: what nextPageToken said; q, sort: as of experiments/runs."""

    answers = {"get": ExperimentsObject}
    queries = {"get": dict.fromkeys(("q", "sort", "after"), str) | {"limit": int}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        size = whole_number(request, "limit", default=listing.PAGE_RUNS, maximum=500)
        query = asking.query(workspace_of(repository.pk), request.query_params, size=size)
        page = listing.page(replace(query, columns=()))
        return Response(dagshub.listed(repository.pk, page, may_write=repository.can_write))


class MetricsForExperiments(APIView):
    """Every point of every metric of the runs in {"experiment_keys": […]}, at most 100,000 in all."""

    class Keys(serializers.Serializer):
        experiment_keys = serializers.ListField(child=serializers.CharField(max_length=64), max_length=500)

    inputs = {"post": Keys}
    answers = {"post": dict[str, dict[str, dict[str, list[dagshub.PointObject]]]]}

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        given = valid(self.Keys, request)
        return Response(dagshub.points(workspace_of(repository.pk), given["experiment_keys"]))


class Experiment(APIView):
    """One run, by its id. Runs made from commits are changed by commits: 422."""

    class Edit(serializers.Serializer):
        name = serializers.CharField(max_length=acts.MOST_NAME)

    inputs = {"post": Edit}
    answers = {"post": NOTHING}

    def post(self, request: Request, owner: str, name: str, run_id: str) -> Response:
        """Rename it."""
        repository = _writable(request, owner, name)
        acts.rename(repository, gate.signed_in(request)[1], [run_id], valid(self.Edit, request)["name"])
        return Response(status=204)

    def delete(self, request: Request, owner: str, name: str, run_id: str) -> Response:
        """Into the bin, from which the table of runs brings it back."""
        repository = _writable(request, owner, name)
        acts.delete(repository, gate.signed_in(request)[1], [run_id])
        return Response(status=204)


class Label(APIView):
    """A label of a run, at most 128 characters: a tag "covey.label.…" for MLflow's clients."""

    answers = {"post": NOTHING}

    def post(self, request: Request, owner: str, name: str, run_id: str, label: str) -> Response:
        acts.label(_writable(request, owner, name), [run_id], label)
        return Response(status=204)

    def delete(self, request: Request, owner: str, name: str, run_id: str, label: str) -> Response:
        acts.label(_writable(request, owner, name), [run_id], label, given=False)
        return Response(status=204)


def _writable(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, need=Access.WRITE, area=Area.EXPERIMENTS)
