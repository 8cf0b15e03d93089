"""/user/repos, /repos/{owner}/{name}: create, list, read, change, delete."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.lib.api import Flag, paged, valid
from repos import repositories
from repos.api import gate
from repos.api.shapes import repository_object
from repos.models import Access, Repository
from repos.repositories import Start


class NewRepository(serializers.Serializer):
    """DagsHub's fields. project_template and unknown fields are ignored; without auto_init nothing is committed."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True, default="", max_length=2000)
    private = Flag(default=True)
    auto_init = Flag(default=False)
    gitignores = serializers.CharField(allow_blank=True, default="", max_length=100)
    license = serializers.CharField(allow_blank=True, default="", max_length=100)
    readme = serializers.CharField(allow_blank=True, default="", max_length=100)
    dvc = Flag(default=False)


def start_of(fields: dict[str, Any]) -> Start:
    """What the first commit holds; auto_init alone gives a README."""
    if not fields["auto_init"]:
        return Start(dvc=fields["dvc"])
    return Start(readme=True, gitignore=fields["gitignores"], licence=fields["license"], dvc=fields["dvc"])


class OwnRepositories(APIView):
    """The repositories of the caller, and a new one."""

    def get(self, request: Request) -> Response:
        actor = gate.user_actor(request)
        assert actor.user
        rows = Repository.objects.visible_to(actor).filter(owner=actor.user.owner_id)
        rows = rows.select_related("owner__user").order_by("-updated", "-pk")
        return paged(request, rows, lambda row: repository_object(row, Access.ADMIN))

    def post(self, request: Request) -> Response:
        actor = gate.user_actor(request)
        assert actor.user
        fields = valid(NewRepository, request)
        repository = repositories.create(
            actor,
            actor.user.owner,
            fields["name"],
            description=fields["description"],
            private=fields["private"],
            start=start_of(fields),
        )
        return Response(repository_object(repository, Access.ADMIN), status=201)


class OneRepository(APIView):
    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        return Response(repository_object(repository, repository.granted))
