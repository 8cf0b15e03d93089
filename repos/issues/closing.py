"""Keywords that close and open again: `fixes #3`, `reopens owner/name#3` in a commit on the default branch, or in a
pull request that is merged into it."""

from __future__ import annotations

import re

from hub.accounts.models import User
from hub.lib.names import OWNER_PATTERN, REPOSITORY_PATTERN
from repos.issues import states
from repos.issues.models import Entry, Issue
from repos.models import Repository

MOST = 100  # issues that one text changes
_KEYWORD = re.compile(
    rf"""(?<!\w)(?:(?P<again>reopen(?:s|ed)?)|close[sd]?|fix(?:e[sd])?|resolve[sd]?)(?::\s*|\s+)
    (?P<place>{OWNER_PATTERN}/{REPOSITORY_PATTERN})?\#(?P<number>[1-9][0-9]{{0,8}})(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)


def wishes_in(text: str, repository: Repository) -> dict[int, bool]:
    """number of an issue of this repository → whether it is to be open: what the text says last."""
    found: dict[int, bool] = {}
    for match in _KEYWORD.finditer(text):
        if (match["place"] or repository.full_name).lower() == repository.full_name.lower():
            found[int(match["number"])] = bool(match["again"])
    return dict(list(found.items())[:MOST])


def obey(repository: Repository, text: str, user: User | None, **what: str | int) -> list[int]:
    """Close and open again the issues of which a text says so; the numbers of those that changed. what: did it, e.g.
    commit="…".

    Safe to run twice: what this did already, and somebody undid, is not done again.
    """
    wishes, changed = wishes_in(text, repository), []
    for issue in Issue.objects.filter(repository=repository, is_pull=False, number__in=list(wishes)):
        issue.repository = repository
        wanted = wishes[issue.number]
        kind = Entry.Kind.REOPENED if wanted else Entry.Kind.CLOSED
        if Entry.objects.filter(issue=issue, kind=kind, detail=what).exists():
            continue
        if states.begin_again(issue, user, **what) if wanted else states.end(issue, user, **what):
            changed.append(issue.number)
    return changed
