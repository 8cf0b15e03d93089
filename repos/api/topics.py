"""/repos/{owner}/{name}/topics."""

from __future__ import annotations

from typing import TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.lib.api import valid
from repos import repositories
from repos.api import gate
from repos.models import Access, Repository


class TopicsObject(TypedDict):
    topics: list[str]


class TopicList(serializers.Serializer):
    topics = serializers.ListField(child=serializers.CharField(max_length=100), max_length=100)


class Topics(APIView):
    """The topics, and all of them replaced."""

    inputs = {"put": TopicList}
    answers = dict.fromkeys(("get", "put"), TopicsObject)

    def get(self, request: Request, owner: str, name: str) -> Response:
        return _answer(gate.repository_for(request, owner, name))

    def put(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        wanted = valid(TopicList, request)["topics"]
        return _answer(repositories.update(gate.actor_of(request), repository, topics=wanted))


def _answer(repository: Repository) -> Response:
    return Response({"topics": list(repository.topics.order_by("name").values_list("name", flat=True))})
