"""An empty repository's help: a token for it, the script, and noticing the first push."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.authentication import actor_from_authorization, presented_token
from hub.accounts.http import HubRequest
from hub.lib.errors import HubError, NotFound, Unauthenticated
from repos import access, connecting
from repos.access import Access, Actor, Area
from repos.surface import CHALLENGE


@login_required
@require_POST
@never_cache
def make_token(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Make a token for this repository and answer with every line filled in. It is shown this once."""
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.REPO)
    secret = connecting.make_token(request.actor, repository)
    template = "repos/_connect.html" if request.headers.get("HX-Request") else "repos/connect.html"
    return render(request, template, {"repository": repository, "tab": "files", "token": secret})


@require_safe
@never_cache
def waiting(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """What the empty page asks every few seconds: nothing new, or look again."""
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.REPO)
    if repository.empty:
        return HttpResponse(status=204)
    return HttpResponse("The first push is here.", headers={"HX-Redirect": repository.get_absolute_url()})


@require_safe
@never_cache
def script(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """setup.sh, by session or by token. Every refusal is a script too: it may be on its way into a shell."""
    header = request.headers.get("Authorization", "")
    try:
        actor = (
            actor_from_authorization(header, address=request.META.get("REMOTE_ADDR", "")) if header else request.actor
        )
        return _script(actor, owner, name, header)
    except HubError as error:
        answer = _shell(connecting.refusal(f"{error.message} {error.details}".strip()), status=error.code)
        for field, value in error.headers.items():
            answer[field] = value
        if isinstance(error, Unauthenticated):
            answer[CHALLENGE[0]] = CHALLENGE[1]
        return answer


def _script(actor: Actor, owner: str, name: str, header: str) -> HttpResponse:
    try:
        repository = access.repository_for(actor, owner, name, need=Access.READ, area=Area.REPO)
    except NotFound:
        if actor.is_anonymous:
            raise Unauthenticated("Not found, or private.", details="Add -u YOUR-NAME:ACCESS-TOKEN to curl.") from None
        raise
    # Only the token that came with this very request is written into the answer.
    token = presented_token(header) if actor.token_id else ""
    return _shell(connecting.script(repository, user=actor.username or "YOUR-NAME", token=token))


def _shell(body: str, status: int = 200) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="text/x-shellscript; charset=utf-8")
