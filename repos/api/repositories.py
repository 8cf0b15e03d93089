"""/user/repos, /users/{name}/repos, /repos/search, /repos/{owner}/{name}: create, list, read, change, delete."""

from __future__ import annotations

from typing import Any, TypedDict

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Area
from hub.lib.api import Flag, paged, searched, valid, whole_number
from hub.lib.api_schema import PAGES, created
from hub.lib.paging import words_of
from repos import repositories, ways
from repos.api import gate
from repos.api.shapes import RepositoryObject, one_repository, repository_object, repository_objects
from repos.models import Access, Repository, Topic
from repos.repositories import Start

ALLOW = {"allow_merge_commit": "merge", "allow_squash_merge": "squash", "allow_rebase_merge": "rebase"}


class RepositoriesFound(TypedDict):
    data: list[RepositoryObject]
    ok: bool


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


class ChangedRepository(serializers.Serializer):
    """What is sent is changed. default_merge_method: what the merge box proposes, of those allowed."""

    name = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(allow_blank=True, max_length=2000, required=False)
    website = serializers.CharField(allow_blank=True, max_length=400, required=False)
    private = Flag(required=False)
    default_branch = serializers.CharField(max_length=250, required=False)
    allow_merge_commit = Flag(required=False)
    allow_squash_merge = Flag(required=False)
    allow_rebase_merge = Flag(required=False)
    default_merge_method = serializers.ChoiceField(choices=ways.METHODS, required=False)
    delete_branch_on_merge = Flag(required=False)


def start_of(fields: dict[str, Any]) -> Start:
    """What the first commit holds; auto_init alone gives a README."""
    if not fields["auto_init"]:
        return Start(dvc=fields["dvc"])
    return Start(readme=True, gitignore=fields["gitignores"], licence=fields["license"], dvc=fields["dvc"])


def listed(request: Request) -> QuerySet[Repository]:
    """What the caller may read, newest change first, ready for repository_objects."""
    rows = Repository.objects.visible_to(gate.actor_of(request), area=Area.REPO)
    return rows.select_related("owner__user").order_by("-updated", "-pk")


class OwnRepositories(APIView):
    """The repositories of the caller, and a new one."""

    inputs = {"post": NewRepository}
    answers = {"get": list[RepositoryObject], "post": created(RepositoryObject)}
    queries = {"get": PAGES}

    def get(self, request: Request) -> Response:
        actor, user = gate.signed_in(request)
        return paged(request, listed(request).filter(owner=user.owner_id), repository_objects(actor))

    def post(self, request: Request) -> Response:
        actor, user = gate.signed_in(request)
        gate.require_write(actor)  # what the token may not do is told before what the body lacks
        fields = valid(NewRepository, request)
        repository = repositories.create(
            actor,
            user.owner,
            fields["name"],
            description=fields["description"],
            private=fields["private"],
            start=start_of(fields),
        )
        return Response(repository_object(repository, Access.ADMIN), status=201)


class RepositoriesOf(APIView):
    """What the caller may read of one owner's repositories; nothing, and not 404, for an unknown owner."""

    answers = {"get": list[RepositoryObject]}
    queries = {"get": PAGES}

    def get(self, request: Request, username: str) -> Response:
        rows = listed(request).filter(owner__name_key=username.lower())
        return paged(request, rows, repository_objects(gate.actor_of(request)))


class RepositorySearch(APIView):
    """Repositories whose name, description or topic holds q; uid narrows to one owner's user id, topic to one topic."""

    answers = {"get": RepositoriesFound}
    queries = {"get": {**PAGES, "q": str, "topic": str, "uid": int}}

    def get(self, request: Request) -> Response:
        rows, query = listed(request), request.query_params
        if words := words_of(query.get("q", "")):
            tagged = Topic.objects.filter(name__icontains=words).values("repository_id")
            rows = rows.filter(Q(name__icontains=words) | Q(description__icontains=words) | Q(pk__in=tagged))
        if topic := query.get("topic", "").strip().lower()[:40]:
            rows = rows.filter(pk__in=Topic.objects.filter(name=topic).values("repository_id"))
        if uid := whole_number(request, "uid", default=0, minimum=0):
            rows = rows.filter(owner__user=uid)
        return searched(request, rows, repository_objects(gate.actor_of(request)))


class OneRepository(APIView):
    inputs = {"patch": ChangedRepository}
    answers = dict.fromkeys(("get", "patch"), RepositoryObject)

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        return Response(one_repository(gate.actor_of(request), repository, repository.granted))

    def patch(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        fields = _with_ways(repository, valid(ChangedRepository, request))
        repository = repositories.update(gate.actor_of(request), repository, **fields)
        return Response(repository_object(repository, Access.ADMIN))

    def delete(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        repositories.delete(gate.actor_of(request), repository)
        return Response(status=204)


def _with_ways(repository: Repository, fields: dict[str, Any]) -> dict[str, Any]:
    """GitHub's names of what the merge box offers, as repositories.update knows it."""
    allow = {method: fields.pop(name) for name, method in ALLOW.items() if name in fields}
    usual = fields.pop("default_merge_method", "")
    if allow or usual:
        fields["merge_methods"] = ways.changed(repository, allow, usual)
    if "delete_branch_on_merge" in fields:
        fields["delete_merged_branches"] = fields.pop("delete_branch_on_merge")
    return fields
