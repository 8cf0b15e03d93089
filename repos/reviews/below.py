"""What stands below a comment on lines: its suggestion as a small difference, with the way to apply it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from hub.accounts.actor import Actor, Area
from repos import difftable
from repos.access import Access
from repos.git.diff import FileDiff, Hunk, Line
from repos.issues.models import Entry, Thread
from repos.issues.texts import digest
from repos.issues.threads import ShownSpot
from repos.models import Repository
from repos.reviews.suggestions import Suggestion, suggestion_of


@dataclass(frozen=True)
class Below:
    """rows: of the table with the difference. entry: id of the comment; seen: that, and its text as it is shown.
    number: of the pull request."""

    rows: SafeString
    entry: int
    seen: str
    number: int
    outdated: bool
    may_apply: bool
    template: str = "reviews/_suggestion.html"


def below(
    actor: Actor, repository: Repository, entries: Sequence[Entry], spots: Mapping[int, ShownSpot]
) -> dict[int, Below]:
    """For repos.issues.threads: id of the comment → what stands below it. Asks the database nothing."""
    if not actor.has_scope(Area.REPO, write=False):
        return {}
    writes = repository.granted >= Access.WRITE and actor.has_scope(Area.REPO, write=True)
    found = {}
    for entry in entries:
        if suggestion := suggestion_of(entry):
            thread = suggestion.thread
            outdated = spots[thread.pk].outdated if thread.pk in spots else True
            may_apply = writes and thread.issue.is_open and not outdated and thread.resolved is None
            seen = f"{entry.pk}-{digest(entry.body)}"
            found[entry.pk] = Below(_rows(suggestion), entry.pk, seen, thread.issue.number, outdated, may_apply)
    return found


def _rows(suggestion: Suggestion) -> SafeString:
    old = _quoted(suggestion.thread)
    start = suggestion.thread.detail["line"] - len(old) + 1
    lines = [Line("-", start + n, 0, text) for n, text in enumerate(old)]
    lines += [Line("+", 0, start + n, text) for n, text in enumerate(suggestion.lines)]
    name = suggestion.thread.path
    file = FileDiff("modified", name, name, 0, 0, "", "", hunks=(Hunk(start, start, "", tuple(lines)),))
    return difftable.html(file, split=False)


def _quoted(thread: Thread) -> list[str]:
    """The lines that it is about, as far as they were kept."""
    detail = thread.detail
    quoted: list[str] = detail["quoted"][max(detail["start"] - detail["from"], 0) :]
    return quoted
