"""From a request to a pull request. Its pages show code, so a token needs the scope of both."""

from __future__ import annotations

from hub.accounts.actor import Area
from hub.accounts.http import HubRequest
from repos import access
from repos.issues.views import gate
from repos.models import Access, Repository
from repos.pulls import opening
from repos.pulls.models import PullRequest


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    repository = gate.readable(request, owner, name)
    access.require_scope(request.actor, Area.REPO, write=False)
    return repository


def pull_at(request: HubRequest, owner: str, name: str, number: int, *, need: Access = Access.READ) -> PullRequest:
    repository = readable(request, owner, name) if need <= Access.READ else gate.writable(request, owner, name)
    return opening.pull_of(repository, number)
