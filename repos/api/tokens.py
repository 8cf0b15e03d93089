"""/user/tokens: the caller's access tokens. Here and not with the accounts, since one may be bound to a repository."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts import tokens
from hub.accounts.actor import Actor, Area
from hub.accounts.models import AccessToken, User
from hub.lib.api import Flag, paged, valid
from hub.lib.api_schema import PAGES, created
from hub.lib.errors import Unprocessable
from repos import access
from repos.api import gate


class TokenObject(TypedDict):
    """A token without its secret."""

    id: int
    name: str
    start: str
    scopes: list[str]
    repository: str
    created_at: str
    expires_at: str
    last_used_at: str | None


class MintedTokenObject(TokenObject):
    """With its secret: token, or the two of an S3 key pair."""

    token: NotRequired[str]
    access_key_id: NotRequired[str]
    secret_access_key: NotRequired[str]


class NewToken(serializers.Serializer):
    """A token can do no more than the credential that asks for it. repository: "owner/name" binds it to that one.

    s3: an S3 key pair instead, for data only. days: 90 by default, never more than the credential itself has."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20, required=False)
    repository = serializers.CharField(required=False, allow_blank=True, default="", max_length=150)
    s3 = Flag(default=False)
    days = serializers.IntegerField(default=None, allow_null=True, min_value=1, max_value=tokens.MAXIMUM_DAYS)


class OwnTokens(APIView):
    """The caller's live tokens, and a new one. The secret is in this answer only."""

    inputs = {"post": NewToken}
    answers = {"get": list[TokenObject], "post": created(MintedTokenObject)}
    queries = {"get": PAGES}

    def get(self, request: Request) -> Response:
        actor, _ = allowed(request, write=False)
        rows = tokens.of(actor).filter(revoked=None).select_related("repository__owner").order_by("-pk")
        return paged(request, rows, lambda page: [token_object(token) for token in page])

    def post(self, request: Request) -> Response:
        actor, _ = allowed(request, write=True)
        fields = valid(NewToken, request)
        pair = fields["s3"]
        token, secret = tokens.mint(
            actor,
            name=fields["name"],
            scopes=fields.get("scopes", ["data:write"] if pair else sorted(tokens.WRITE_SCOPES)),
            repository_id=repository_named(request, fields["repository"]),
            days=fields["days"],
            pair=pair,
        )
        keys = {"access_key_id": secret, "secret_access_key": tokens.secret_of(secret)} if pair else {"token": secret}
        return Response({**token_object(token), **keys}, status=201)


class OneToken(APIView):
    def delete(self, request: Request, token_id: int) -> Response:
        actor, _ = allowed(request, write=True)
        tokens.revoke(actor, token_id)
        return Response(status=204)


def allowed(request: Request, *, write: bool) -> tuple[Actor, User]:
    """The signed-in caller, when the credential reaches the account. Raises Unauthenticated or Denied."""
    actor, user = gate.signed_in(request)
    access.require_scope(actor, Area.ACCOUNT, write=write)
    return actor, user


def repository_named(request: Request, full_name: str) -> int | None:
    """The id of a repository the caller may read; None for "". Raises NotFound or Unprocessable."""
    if not full_name:
        return None
    owner, slash, name = full_name.partition("/")
    if not slash:
        raise Unprocessable("repository must be owner/name.")
    return gate.repository_for(request, owner, name).pk


def token_object(token: AccessToken) -> TokenObject:
    return {
        "id": token.pk,
        "name": token.name,
        "start": token.start,
        "scopes": token.scopes,
        "repository": token.repository.full_name if token.repository else "",
        "created_at": token.created.isoformat(),
        "expires_at": token.expires.isoformat(),
        "last_used_at": token.last_used.isoformat() if token.last_used else None,
    }
