"""From a request to a gated repository: the one way every page of issues begins."""

from __future__ import annotations

from hub.accounts.actor import Area
from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid
from hub.lib.numbers import whole
from repos import access
from repos.models import Access, Repository


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    """Who may read may also take part; what exactly is asked of repos.issues.rights by the domain functions."""
    return access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.ISSUES)


def writable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.WRITE, area=Area.ISSUES)


def number_in(request: HubRequest, field: str) -> int:
    """A whole number of a form; 0 when it is empty. Raises Invalid."""
    text = request.POST.get(field, "")
    if not text:
        return 0
    number = whole(text)
    if number is None:
        raise Invalid(f"{field} must be a whole number.")
    return number
