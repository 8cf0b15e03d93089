"""Collaborators, stars and offers to transfer."""

from __future__ import annotations

from typing import TypedDict

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.api import UserObject, user_object
from hub.accounts.models import User
from hub.lib.api import paged, valid
from hub.lib.api_schema import NOTHING, PAGES, accepted
from hub.lib.errors import NotFound
from repos import collaborators, stars, transfers
from repos.api import gate
from repos.api.repositories import listed
from repos.api.shapes import Permissions, RepositoryObject, permissions, repository_object, repository_objects
from repos.models import Access, Membership, Star, Transfer


class CollaboratorObject(UserObject):
    """permission: read, write or admin."""

    permission: str
    permissions: Permissions


class OfferObject(TypedDict):
    """A repository that waits for its new owner to accept it."""

    id: int
    repository: str
    new_owner: str
    offered_by: str
    created_at: str


GITHUBS = {"pull": "read", "push": "write"}


class Permission(serializers.Serializer):
    """permission: read, write or admin; GitHub's pull and push are read and write."""

    permission = serializers.ChoiceField(choices=[*collaborators.RUNGS, *GITHUBS], default="write")


class Recipient(serializers.Serializer):
    """new_owner: the user to whom the repository is offered."""

    new_owner = serializers.CharField(max_length=40)


class Collaborators(APIView):
    answers = {"get": list[CollaboratorObject]}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        rows = repository.memberships.select_related("user").order_by("pk")
        return paged(request, rows, lambda page: [_member(row) for row in page])


class OneCollaborator(APIView):
    inputs = {"put": Permission}
    answers = {"get": CollaboratorObject, "put": NOTHING}

    def get(self, request: Request, owner: str, name: str, username: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        row = repository.memberships.select_related("user").filter(user__owner__name_key=username.lower()).first()
        if row is None:
            raise NotFound(f"{username} is not a collaborator.")
        return Response(_member(row))

    def put(self, request: Request, owner: str, name: str, username: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        asked = valid(Permission, request)["permission"]
        rung = collaborators.rung_named(GITHUBS.get(asked, asked))
        collaborators.put(gate.actor_of(request), repository, collaborators.user_named(username), rung)
        return Response(status=204)

    def delete(self, request: Request, owner: str, name: str, username: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        collaborators.remove(gate.actor_of(request), repository, collaborators.user_named(username))
        return Response(status=204)


def _member(row: Membership) -> CollaboratorObject:
    permission = Access(row.access).name.lower()
    return {**user_object(row.user), "permission": permission, "permissions": permissions(row.access)}


class Stargazers(APIView):
    """Who starred it, first star first."""

    answers = {"get": list[UserObject]}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        rows: QuerySet[User] = User.objects.filter(stars__repository=repository).order_by("stars__pk")
        return paged(request, rows, lambda page: [user_object(user) for user in page])


class Starred(APIView):
    """What the caller starred and may still read."""

    answers = {"get": list[RepositoryObject]}
    queries = {"get": PAGES}

    def get(self, request: Request) -> Response:
        actor, user = gate.signed_in(request)
        rows = listed(request).filter(pk__in=Star.objects.filter(user=user).values("repository_id"))
        return paged(request, rows, repository_objects(actor))


class OneStar(APIView):
    """204 when the caller starred it, else 404; PUT and DELETE set and remove the star."""

    answers = dict.fromkeys(("get", "put"), NOTHING)

    def get(self, request: Request, owner: str, name: str) -> Response:
        _, user = gate.signed_in(request)
        repository = gate.repository_for(request, owner, name)
        if not repository.stars.filter(user=user).exists():
            raise NotFound("You have not starred it.")
        return Response(status=204)

    def put(self, request: Request, owner: str, name: str) -> Response:
        actor, user = gate.signed_in(request)
        repository = gate.repository_for(request, owner, name)
        gate.require_write(actor)
        stars.star(repository, user)
        return Response(status=204)

    def delete(self, request: Request, owner: str, name: str) -> Response:
        actor, user = gate.signed_in(request)
        repository = gate.repository_for(request, owner, name)
        gate.require_write(actor)
        stars.unstar(repository, user)
        return Response(status=204)


class TransferOffer(APIView):
    """Offer the repository to another user; nothing changes until they accept."""

    inputs = {"post": Recipient}
    answers = {"post": accepted(OfferObject)}

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        recipient = collaborators.user_named(valid(Recipient, request)["new_owner"])
        return Response(_offer(transfers.offer(gate.actor_of(request), repository, recipient)), status=202)

    def delete(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.ADMIN)
        transfers.cancel(gate.actor_of(request), repository)
        return Response(status=204)


class OffersToMe(APIView):
    answers = {"get": list[OfferObject]}
    queries = {"get": PAGES}

    def get(self, request: Request) -> Response:
        actor, _ = gate.signed_in(request)
        gate.require_write(actor)
        return paged(request, transfers.offers_to(actor), lambda page: [_offer(row) for row in page])


class AcceptedOffer(APIView):
    answers = {"post": accepted(RepositoryObject)}

    def post(self, request: Request, transfer_id: int) -> Response:
        actor, _ = gate.signed_in(request)
        repository = transfers.accept(actor, transfers.offer_for(actor, transfer_id))
        return Response(repository_object(repository, Access.ADMIN), status=202)


class DeclinedOffer(APIView):
    answers = {"post": NOTHING}

    def post(self, request: Request, transfer_id: int) -> Response:
        actor, _ = gate.signed_in(request)
        transfers.decline(actor, transfers.offer_for(actor, transfer_id))
        return Response(status=204)


def _offer(row: Transfer) -> OfferObject:
    return {
        "id": row.pk,
        "repository": row.repository.full_name,
        "new_owner": row.recipient.name,
        "offered_by": row.offered_by.username,
        "created_at": row.created.isoformat(),
    }
