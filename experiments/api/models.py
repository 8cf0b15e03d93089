"""/api/v1/repos/{owner}/{name}/models: registered models, their versions, aliases and tags."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.api.runs import readable
from experiments.mlflow.context import workspace_of
from experiments.registry import changes, files, reading, shapes
from hub.accounts.actor import Area
from hub.lib.api import page_of, valid, with_links
from hub.lib.api_schema import NOTHING, PAGES, created
from hub.lib.errors import NotFound
from hub.lib.paging import words_of
from repos.api import gate
from repos.models import Access, Repository


def writable(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, need=Access.WRITE, area=Area.EXPERIMENTS)


class NewVersion(serializers.Serializer):
    """name: of the model, made when it is new. run_id, and either path (a folder of the run's artifacts) or model_id
    (a model that the run logged)."""

    name = serializers.CharField(max_length=changes.MOST_NAME)
    run_id = serializers.CharField(max_length=36)
    path = serializers.CharField(max_length=1000, default="", allow_blank=True)
    model_id = serializers.CharField(max_length=36, default="", allow_blank=True)
    description = serializers.CharField(max_length=changes.MOST_TEXT, default="", allow_blank=True)


class ModelDescription(serializers.Serializer):
    """description: Markdown."""

    description = serializers.CharField(max_length=changes.MOST_TEXT, allow_blank=True)


class VersionChange(serializers.Serializer):
    """description: Markdown. stage: None, Staging, Production or Archived. What is left out stays."""

    description = serializers.CharField(max_length=changes.MOST_TEXT, allow_blank=True, required=False)
    stage = serializers.ChoiceField(choices=changes.STAGES, required=False)


class ModelAlias(serializers.Serializer):
    """version: the one it shall point at."""

    version = serializers.IntegerField(min_value=1, max_value=reading.LARGEST_VERSION)


class TagValue(serializers.Serializer):
    value = serializers.CharField(max_length=changes.MOST_TEXT, allow_blank=True)


class Models(APIView):
    inputs = {"post": NewVersion}
    answers = {"get": list[shapes.ModelObject], "post": created(shapes.ModelVersionObject)}
    queries = {"get": {**PAGES, "q": str}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        """A page of models, the one that changed last first; ?q= looks in names and values of tags."""
        repository, (number, limit) = readable(request, owner, name), page_of(request)
        text = words_of(request.query_params.get("q", ""))
        start = (number - 1) * limit
        found = reading.models(workspace_of(repository.pk), text=text, start=start, limit=limit + 1)
        return with_links(Response([shapes.model(row) for row in found[:limit]]), request, more=len(found) > limit)

    def post(self, request: Request, owner: str, name: str) -> Response:
        """Register a version of a model from a run."""
        repository, given = writable(request, owner, name), valid(NewVersion, request)
        text = given.pop("description")
        made = changes.register(gate.actor_of(request), repository, given.pop("run_id"), text=text, **given)
        return Response(shapes.version(made), status=201)


class OneModel(APIView):
    inputs = {"patch": ModelDescription}
    answers = dict.fromkeys(("get", "patch"), shapes.ModelObject)

    def get(self, request: Request, owner: str, name: str, model: str) -> Response:
        repository = readable(request, owner, name)
        return Response(shapes.model(reading.model(workspace_of(repository.pk), model)))

    def patch(self, request: Request, owner: str, name: str, model: str) -> Response:
        """Describe it."""
        repository, text = writable(request, owner, name), valid(ModelDescription, request)["description"]
        changes.describe(gate.actor_of(request), repository, model, None, text)
        return Response(shapes.model(reading.model(workspace_of(repository.pk), model)))

    def delete(self, request: Request, owner: str, name: str, model: str) -> Response:
        """With all its versions; their files stay with their runs."""
        changes.delete_model(gate.actor_of(request), writable(request, owner, name), model)
        return Response(status=204)


class Versions(APIView):
    answers = {"get": list[shapes.ModelVersionObject]}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, model: str) -> Response:
        """A page of a model's versions, the newest first."""
        repository, (number, limit) = readable(request, owner, name), page_of(request)
        workspace = workspace_of(repository.pk)
        reading.model(workspace, model)
        found = reading.versions(workspace, model, start=(number - 1) * limit, limit=limit + 1)
        return with_links(Response([shapes.version(row) for row in found[:limit]]), request, more=len(found) > limit)


class OneVersion(APIView):
    inputs = {"patch": VersionChange}
    answers = {"get": shapes.OneModelVersionObject, "patch": shapes.ModelVersionObject}

    def get(self, request: Request, owner: str, name: str, model: str, number: int) -> Response:
        """With what its files say: signature, requirements, the front matter of its card, and where to fetch them."""
        repository = readable(request, owner, name)
        found = reading.version(workspace_of(repository.pk), model, number)
        base = f"{settings.COVEY_URL}/{repository.full_name}.mlflow/"
        return Response(shapes.version(found) | shapes.contents(files.contents(repository.pk, found), base=base))

    def patch(self, request: Request, owner: str, name: str, model: str, number: int) -> Response:
        """Describe it, or move it to a stage."""
        repository, given = writable(request, owner, name), valid(VersionChange, request)
        actor = gate.actor_of(request)
        if "description" in given:
            changes.describe(actor, repository, model, number, given["description"])
        if "stage" in given:
            changes.set_stage(actor, repository, model, number, given["stage"])
        return Response(shapes.version(reading.version(workspace_of(repository.pk), model, number)))

    def delete(self, request: Request, owner: str, name: str, model: str, number: int) -> Response:
        """With the aliases that point at it; its files stay with its run."""
        changes.delete_version(gate.actor_of(request), writable(request, owner, name), model, number)
        return Response(status=204)


class OneAlias(APIView):
    inputs = {"put": ModelAlias}
    answers = dict.fromkeys(("get", "put"), shapes.ModelVersionObject)

    def get(self, request: Request, owner: str, name: str, model: str, alias: str) -> Response:
        """The version it points at."""
        workspace = workspace_of(readable(request, owner, name).pk)
        number = reading.model(workspace, model).aliases.get(alias)
        if number is None:
            raise NotFound("There is no such alias.")
        return Response(shapes.version(reading.version(workspace, model, number)))

    def put(self, request: Request, owner: str, name: str, model: str, alias: str) -> Response:
        """Point it at a version; it leaves the one it pointed at."""
        repository, given = writable(request, owner, name), valid(ModelAlias, request)
        changes.set_alias(gate.actor_of(request), repository, model, alias, given["version"])
        return Response(shapes.version(reading.version(workspace_of(repository.pk), model, given["version"])))

    def delete(self, request: Request, owner: str, name: str, model: str, alias: str) -> Response:
        changes.delete_alias(gate.actor_of(request), writable(request, owner, name), model, alias)
        return Response(status=204)


class OneModelTag(APIView):
    """Of a model, or of a version of it."""

    inputs = {"put": TagValue}
    answers = {"put": NOTHING}

    def put(self, request: Request, owner: str, name: str, model: str, key: str, **place: Any) -> Response:
        repository, value = writable(request, owner, name), valid(TagValue, request)["value"]
        changes.set_tag(gate.actor_of(request), repository, model, place.get("number"), key, value)
        return Response(status=204)

    def delete(self, request: Request, owner: str, name: str, model: str, key: str, **place: Any) -> Response:
        repository = writable(request, owner, name)
        changes.delete_tag(gate.actor_of(request), repository, model, place.get("number"), key)
        return Response(status=204)


class OneVersionTag(OneModelTag):
    """The same under a name of its own, by which the description of the API tells them apart."""
