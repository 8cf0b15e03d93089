"""Keywords that close: `fixes #3` in a commit on the default branch, or in a pull request that is merged."""

from __future__ import annotations

import re

from hub.accounts.models import User
from repos.issues import states
from repos.issues.models import Entry, Issue
from repos.models import Repository

MOST = 100  # issues closed by one text
_KEYWORD = re.compile(r"(?<!\w)(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)(?::\s*|\s+)#([1-9][0-9]{0,8})(?!\w)", re.I)


def numbers_in(text: str) -> list[int]:
    """In the order of the text, each once."""
    return list(dict.fromkeys(int(number) for number in _KEYWORD.findall(text)))[:MOST]


def close_by_text(repository: Repository, text: str, user: User | None, **what: str | int) -> list[int]:
    """Close the open issues that a text says it closes; their numbers. what: did it, e.g. commit="…".

    Safe to run twice: an issue that this closed already, and that somebody opened again, stays open.
    """
    closed = []
    for issue in Issue.objects.filter(repository=repository, is_pull=False, number__in=numbers_in(text)):
        issue.repository = repository
        if Entry.objects.filter(issue=issue, kind=Entry.Kind.CLOSED, detail=what).exists():
            continue
        if states.end(issue, user, **what):
            closed.append(issue.number)
    return closed
