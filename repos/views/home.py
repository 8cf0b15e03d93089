"""The front page of a repository: its files, README and what it is about; or how to fill it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos import browsing, filling, stars
from repos.about import about
from repos.place import Place
from repos.views.places import readable
from repos.views.tree import tree_context


@require_safe
def home(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    rev = None if filling.is_filling(repository) else browsing.default_rev(repository)
    if rev is None:
        return render(request, "repos/empty.html", {"repository": repository, "tab": "files"})
    place = Place(repository, rev)
    context = tree_context(place, browsing.entry_at(place))
    context["about"] = about(place, context["listing"].rows)
    context["lost"] = browsing.lost_refs(repository)
    context["starred"] = stars.starred(repository, request.user)
    topics = repository.topics.order_by("name").values_list("name", flat=True)
    return render(request, "repos/home.html", {**context, "topics": list(topics)})
