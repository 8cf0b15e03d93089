"""One comment of the hub's own in each pull request, updated in place: what it does to metrics and data.

Apps above register parts. A part is told as facts, kept as JSON, and rendered for each reader: of an area that a
reader's token may not read nothing is shown. Runs and data of other repositories are never asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.accounts.actor import Actor, Area
from hub.jobs import jobs
from hub.jobs.jobs import Run
from hub.jobs.models import Job
from hub.lib.errors import Busy
from repos.issues import told
from repos.issues.models import Entry, Issue
from repos.models import Repository
from repos.pulls.changed import Ends, ends_of
from repos.pulls.models import PullRequest, Unsummarised

SUMMARY = "pulls.summary"
KIND = "summary"
FRESH = timedelta(minutes=1)  # runs end and data is pushed without a word to the pull request


class Part(Protocol):
    """name: of what it tells, in JSON and in templates. template: shows what make() found, as `found`."""

    name: str
    area: Area
    template: str

    def make(self, repository: Repository, ends: Ends, run: Run) -> dict[str, Any] | None:
        """What there is to tell, as JSON; None for nothing. May take minutes; run.progress keeps the job."""
        ...

    def text(self, found: dict[str, Any]) -> str:
        """The same in Markdown, for the API."""
        ...


_parts: list[Part] = []


def register(part: Part) -> None:
    _parts.append(part)


def ask(pull: PullRequest) -> Job | None:
    """Have it made, or made anew. None where nobody wants it. Raises Busy."""
    if not pull.issue.is_open or not wanted(pull.repository):
        return None
    arguments = {"pull": pull.pk}
    return jobs.start(SUMMARY, f"{SUMMARY}:{pull.pk}", arguments, repository_id=pull.repository.pk, again=True)


def ask_of_runs(repository: Repository, shas: set[str], *, most: int = 20) -> None:
    """Runs of these commits changed: the newest requests that bring one of them tell it."""
    if not repository.pulls_count or not shas:
        return
    rows = PullRequest.objects.filter(issue__repository=repository, issue__state=Issue.State.OPEN, head_id__in=shas)
    for pull in rows.select_related("issue__repository").order_by("-pk")[:most]:
        ask(pull)


def wanted(repository: Repository) -> bool:
    return not Unsummarised.objects.filter(repository=repository).exists()


def want(repository: Repository, *, wanted: bool) -> None:
    """What was told stays; it only grows old."""
    if wanted:
        Unsummarised.objects.filter(repository=repository).delete()
    else:
        Unsummarised.objects.get_or_create(repository=repository)


def looked_at(pull: PullRequest) -> tuple[Entry | None, bool]:
    """(the comment, whether a newer one is being made). Looking at one that may be old has it made again."""
    entry = pull.issue.entries.filter(kind=KIND).first()
    if entry:
        entry.issue = pull.issue
    if not pull.issue.is_open or not wanted(pull.repository):
        return entry, False
    job = Job.objects.filter(key=f"{SUMMARY}:{pull.pk}").first()
    if job is not None and job.state in jobs.OPEN:
        return entry, True
    made = job.finished if job else None
    old = made is None or made < timezone.now() - FRESH
    if not old:
        return entry, False
    try:
        ask(pull)
    except Busy:
        return entry, False
    return entry, True


@jobs.handler(SUMMARY)
def summarise(run: Run) -> dict[str, Any]:
    """Arguments: pull. Looks once more at its end, since a push may have come meanwhile."""
    rows = PullRequest.objects.select_related("issue__repository__owner").filter(pk=run.job.arguments["pull"])
    for _ in range(3):
        pull = rows.filter(issue__state=Issue.State.OPEN, issue__repository__deleted=None).first()
        if pull is None:
            return {}
        ends = ends_of(pull)
        _write(pull, ends, _made(pull.repository, ends, run))
        if ends_of(pull) == ends:
            break
    return {}


def _made(repository: Repository, ends: Ends, run: Run) -> dict[str, Any]:
    found = {part.name: part.make(repository, ends, run) for part in _parts}
    return {name: jobs.storable(one) for name, one in found.items() if one is not None}


def _write(pull: PullRequest, ends: Ends, parts: dict[str, Any]) -> None:
    """One row for ever; none before there is something to tell."""
    detail = {"base": ends.base, "head": ends.head, "parts": parts}
    with transaction.atomic():
        issue = Issue.objects.select_for_update().get(pk=pull.issue.pk)
        entry = issue.entries.filter(kind=KIND).first()
        if entry is None and parts:
            Entry.objects.create(issue=issue, kind=KIND, detail=detail, created=timezone.now())
        elif entry is not None and entry.detail != detail:
            Entry.objects.filter(pk=entry.pk).update(detail=detail, edited=timezone.now())


# ---- shown ---------------------------------------------------------------------------------------
def html(entry: Entry, actor: Actor, *, on_page: bool = True, waits: bool = False) -> SafeString:
    """What this reader may read of it. entry: with its issue and repository. on_page: a page holds it, which asks for
    a newer one. waits: that is being made."""
    common = {"repository": entry.issue.repository, "base": entry.detail["base"], "head": entry.detail["head"]}
    parts = [render_to_string(part.template, {"found": found, **common}) for part, found in _readable(entry, actor)]
    context = {"entry": entry, "parts": parts, "waits": waits, "on_page": on_page, **common}
    return render_to_string("pulls/_summary.html", context)


def text(entry: Entry, actor: Actor) -> str:
    return "\n\n".join(part.text(found) for part, found in _readable(entry, actor))


def _readable(entry: Entry, actor: Actor) -> list[tuple[Part, dict[str, Any]]]:
    parts = entry.detail["parts"]
    return [
        (part, parts[part.name]) for part in _parts if part.name in parts and actor.has_scope(part.area, write=False)
    ]


told.KINDS[KIND] = told.Telling(html, text)
