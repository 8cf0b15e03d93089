"""Tick a box of a task list: its number and what becomes of it in one value, e.g. box=3-done."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid
from repos.issues import conversation, opening
from repos.issues.models import Entry, Issue
from repos.issues.rights import SAID
from repos.issues.views.gate import readable
from repos.issues.views.talk import to_entry

_BOX = re.compile(r"([0-9]{1,5})-(done|open)")


@login_required
@require_POST
def tick(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(readable(request, owner, name), number)
    _tick(request, issue, None)
    return redirect(f"{issue.get_absolute_url()}#text")


@login_required
@require_POST
def tick_comment(request: HubRequest, owner: str, name: str, entry_id: int) -> HttpResponse:
    entry = opening.comment_of(readable(request, owner, name), entry_id, also=SAID)
    _tick(request, entry.issue, entry)
    return to_entry(entry.issue, entry)


def _tick(request: HubRequest, issue: Issue, entry: Entry | None) -> None:
    match = _BOX.fullmatch(request.POST.get("box", ""))
    if match is None:
        raise Invalid("That is no box of a task list.", details="Say e.g. box=3-done or box=3-open.")
    seen = request.POST.get("seen", "")
    conversation.tick(request.actor, issue, entry, int(match[1]), match[2] == "done", seen=seen)
