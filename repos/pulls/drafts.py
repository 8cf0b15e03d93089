"""Drafts: pull requests that are shown and talked about, and not merged before somebody says that they are ready."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from hub.accounts.actor import Actor
from hub.jobs import outbox
from hub.lib.errors import Conflict, Unprocessable
from repos.issues.conversation import record
from repos.issues.models import Issue
from repos.issues.rights import require, taking_part
from repos.pulls import requirements, signals
from repos.pulls.models import PullRequest
from repos.pulls.requirements import Unmet


def mark_ready(actor: Actor, pull: PullRequest) -> None:
    """Raises Denied, Unprocessable when it is over. What is so already changes nothing."""
    _mark(actor, pull, draft=False)


def mark_draft(actor: Actor, pull: PullRequest) -> None:
    """Raises Denied, Unprocessable when it is over, Conflict while it is being merged."""
    _mark(actor, pull, draft=True)


def _mark(actor: Actor, pull: PullRequest, *, draft: bool) -> None:
    rights, user = taking_part(actor, pull.repository)
    require(rights.change(pull.issue), "change this")
    with transaction.atomic():
        row = PullRequest.objects.select_for_update(of=("self",)).select_related("issue").get(pk=pull.pk)
        if row.draft == draft:
            return
        if not row.issue.is_open:
            raise Unprocessable(f"This pull request is {row.issue.state} already.", details="Reload the page.")
        still = PullRequest.objects.filter(pk=pull.pk, claimed=None, merged=None, issue__state=Issue.State.OPEN)
        if not still.update(draft=draft):
            raise Conflict("Somebody merges this right now.", details="Look again in a moment.")
        record(pull.issue, "drafted" if draft else "readied", user)
        outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})
    pull.draft = draft


@requirements.register
def no_draft(pull: PullRequest, _base: str, _head: str) -> Iterator[Unmet]:
    if pull.draft:
        yield Unmet("Draft", "This is not ready to be merged.", "Mark it as ready for review.")
