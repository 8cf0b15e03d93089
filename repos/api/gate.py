"""The gate as the API asks it: an anonymous caller is told to bring a token, whether or not the repository exists."""

from __future__ import annotations

from rest_framework.request import Request

from hub.accounts.actor import Actor, Area
from hub.lib.errors import Denied, NotFound, Unauthenticated
from repos import access
from repos.models import Access, Repository

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="covey"'}
NEXT_STEP = "Send a token as `Authorization: Bearer …`; make one under Settings → Access tokens."


def actor_of(request: Request) -> Actor:
    """Who is asking, as the authentication class found out."""
    actor: Actor = request._request.actor  # type: ignore[attr-defined]
    return actor


def user_actor(request: Request) -> Actor:
    """The same, signed in. Raises Unauthenticated."""
    actor = actor_of(request)
    if actor.user is None:
        raise Unauthenticated("This needs an access token.", details=NEXT_STEP, headers=CHALLENGE)
    return actor


def repository_for(
    request: Request, owner: str, name: str, *, need: Access = Access.READ, area: Area = Area.REPO
) -> Repository:
    """access.repository_for; what an anonymous caller may not do is answered 401 for every name alike."""
    actor = actor_of(request)
    try:
        return access.repository_for(actor, owner, name, need=need, area=area)
    except (NotFound, Denied) as error:
        if actor.is_anonymous:
            raise Unauthenticated("This needs an access token.", details=NEXT_STEP, headers=CHALLENGE) from error
        raise
