"""The gate as the API asks it: an anonymous caller is told to bring a token, whether or not the repository exists."""

from __future__ import annotations

from rest_framework.request import Request

from hub.accounts.actor import Actor, Area
from hub.accounts.api import CHALLENGE, NEXT_STEP, actor_of, signed_in
from hub.lib.errors import Denied, NotFound, Unauthenticated
from repos import access
from repos.models import Access, Repository

__all__ = ["actor_of", "repository_for", "require_write", "signed_in"]


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


def require_write(actor: Actor) -> None:
    """For what a reader may do in their own name (star, take an offer): the token must be able to write."""
    access.require_scope(actor, Area.REPO, write=True)
