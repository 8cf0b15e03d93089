"""The REST API of people: DagsHub's user object and search."""

from __future__ import annotations

from typing import TypedDict

from django.conf import settings
from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.api import searched
from hub.lib.api_schema import PAGES
from hub.lib.errors import NotFound, Unauthenticated

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="covey"'}
NEXT_STEP = "Send a token as `Authorization: Bearer …`; make one under Settings → Access tokens."


def actor_of(request: Request) -> Actor:
    """Who is asking, as the authentication class found out."""
    actor: Actor = request._request.actor  # type: ignore[attr-defined]  # set by ActorAuthentication
    return actor


def signed_in(request: Request) -> tuple[Actor, User]:
    """The actor and its user. Raises Unauthenticated for an anonymous caller."""
    actor = actor_of(request)
    if actor.user is None:
        raise Unauthenticated("This needs an access token.", details=NEXT_STEP, headers=CHALLENGE)
    return actor, actor.user


class UserObject(TypedDict):
    """A person as everybody may see them."""

    id: int
    login: str
    username: str
    full_name: str
    avatar_url: str
    html_url: str
    public_email: str
    website: str
    company: str
    description: str


def user_object(user: User) -> UserObject:
    """Text is never null: the client checks types."""
    return {
        "id": user.pk,
        "login": user.username,
        "username": user.username,
        "full_name": user.full_name,
        "avatar_url": "",
        "html_url": f"{settings.COVEY_URL}/{user.username}",
        "public_email": "",
        "website": user.website,
        "company": user.company,
        "description": user.biography,
    }


class UsersFound(TypedDict):
    data: list[UserObject]
    ok: bool


class Me(APIView):
    """Whom this token belongs to. DagsHub's client asks it to find out whether its token is good."""

    answers = {"get": UserObject}

    def get(self, request: Request) -> Response:
        return Response(user_object(signed_in(request)[1]))


class OneUser(APIView):
    answers = {"get": UserObject}

    def get(self, request: Request, username: str) -> Response:
        user = User.objects.filter(owner__name_key=username.lower(), is_active=True).first()
        if user is None:
            raise NotFound(f"There is no user called {username}.")
        return Response(user_object(user))


class UserSearch(APIView):
    """People whose user name or full name holds q."""

    answers = {"get": UsersFound}
    queries = {"get": {**PAGES, "q": str}}

    def get(self, request: Request) -> Response:
        words = request.query_params.get("q", "").strip()[:100]
        rows = User.objects.filter(Q(username__icontains=words) | Q(full_name__icontains=words), is_active=True)
        return searched(request, rows.order_by("username"), lambda page: [user_object(user) for user in page])
