"""What is said about lines of a file, for that file's page: markers, which a script puts at the lines."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.actor import Area
from hub.accounts.http import HubRequest
from repos.issues import threads
from repos.issues.models import Thread
from repos.reviews.following import followed
from repos.reviews.lines import NEW
from repos.views.places import place_at

MOST = 200


@require_safe
def markers(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """rev/path, as in the address of the file's page. Threads of pull requests count once they speak of new lines."""
    place = place_at(request, owner, name)
    found = [one for one in threads.at(place.repository, request.actor, Thread.Kind.LINE, place.path)
             if one.detail["side"] == NEW and not one.resolved][-MOST:]  # fmt: skip
    now = followed(place.repository, [(one, place.commit) for one in found])
    marks = [(one, now[one.pk]) for one in found if now[one.pk].path == place.path and not now[one.pk].outdated]
    may_begin = request.actor.user is not None and request.actor.has_scope(Area.ISSUES, write=True)
    context = {"repository": place.repository, "place": place, "marks": marks, "may_begin": may_begin}
    return render(request, "reviews/_markers.html", context)
