"""Ways from rows and images to what is said about them, and to say something."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlencode

from django.urls import reverse

from datasets.viewer.table_pages import Rows
from datasets.viewer.viewing import Table
from hub.accounts.actor import Actor
from hub.accounts.http import HubRequest
from hub.lib.numbers import whole
from repos.issues import threads
from repos.issues.models import Thread
from repos.place import Place


def pull_of(request: HubRequest) -> str:
    """The number of the pull request whose panel this page is; "" for none."""
    asked = request.GET.get("pull", "")
    return "" if whole(asked) is None else asked


def beginning(request: HubRequest, place: Place) -> Callable[[int], str]:
    """number of a row → where a comment on it is written; "" for those who are not signed in."""
    if request.actor.user is None:
        return lambda number: ""
    names = place.repository.owner.name, place.repository.name
    fields = {"kind": "row", "path": place.path, "rev": place.commit}
    fields |= {"issue": pull} if (pull := pull_of(request)) else {}
    base = f"{reverse('issues:begin-thread', args=names)}?{urlencode(fields, errors='replace')}"
    return lambda number: f"{base}&{urlencode({'detail': json.dumps({'row': number})})}"


def rows_said(actor: Actor, found: Table, rows: Rows) -> dict[int, str]:
    """number of a row of this page → the last thread about it: by its key, else by its number in this version."""
    place = found.place
    said = threads.at(place.repository, actor, Thread.Kind.ROW, place.path)
    if not said:
        return {}
    names = {found.columns[number]["name"]: at for at, number in enumerate(rows.columns)}
    marked: dict[int, str] = {}
    for thread in said:
        key, here = thread.detail["key"], set(rows.numbers)
        if thread.detail["version"] == found.version.identity:
            numbers = here & {thread.detail["row"]}
        elif key and key.keys() <= names.keys():
            lines = zip(rows.numbers, rows.rows, strict=True)
            numbers = {number for number, cells in lines if all(cells[names[n]] == value for n, value in key.items())}
        else:
            numbers = set()
        address = reverse("issues:thread", args=[place.repository.owner.name, place.repository.name, thread.pk])
        marked |= dict.fromkeys(numbers, address)
    return marked
