"""What a list of issues is asked for: `is:open author:@me label:"bad data" no:assignee sort:updated-asc crash`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from hub.lib.errors import Unprocessable
from repos.issues.texts import UNSTORABLE

DEFAULT = "is:open"
MOST_CHARACTERS, MOST_TERMS = 1_000, 30
SORTS = {"created": "number", "updated": "updated", "comments": "comments_count"}
LACKS = ("label", "assignee", "milestone")
_WORD = re.compile(r'\s*(?P<minus>-?)(?:(?P<key>[A-Za-z]+(?:-[A-Za-z]+)*):)?(?P<value>"[^"]*"|[^\s"]+)')
_PLAIN = re.compile(r'[^\s":]+')
Find = Callable[[int], QuerySet[Any]]  # the id of a user → the ids of issues
_of_people: dict[str, Find] = {}


def register(qualifier: str, find: Find) -> None:
    """An app above this one adds a qualifier that takes a person, e.g. review-requested:@me."""
    _of_people[qualifier] = find


def knows(qualifier: str) -> bool:
    return qualifier in _QUALIFIERS or qualifier in _of_people


class QueryError(Unprocessable):
    """position: where it begins, in characters from 0."""

    def __init__(self, message: str, position: int, details: str = "") -> None:
        super().__init__(message, details=details)
        self.position = position


@dataclass
class Query:
    """kind, state: "" when both do. Names are as written; "@me" is whoever asks. descending: the largest first.

    has: milestone or assignee, any. since: changed then or later. mentioned: whose @name stands in the text or below.
    people: (how to find, name), of qualifiers that other apps registered. ids: what names were found to mean, once.
    """

    kind: str = ""
    state: str = ""
    authors: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    without_labels: list[str] = field(default_factory=list)
    milestone: str | None = None
    lacks: list[str] = field(default_factory=list)
    has: list[str] = field(default_factory=list)
    draft: bool | None = None
    words: list[str] = field(default_factory=list)
    mentioned: list[str] = field(default_factory=list)
    since: datetime | None = None
    people: list[tuple[Find, str]] = field(default_factory=list)
    sort: str = "created"
    descending: bool = True
    ids: dict[tuple[str, str], int] = field(default_factory=dict)


def parse(text: str) -> Query:
    """Raises QueryError, which knows where it begins."""
    if len(text) > MOST_CHARACTERS:
        raise QueryError(f"A search has at most {MOST_CHARACTERS:,} characters.", MOST_CHARACTERS)
    if match := UNSTORABLE.search(text):
        raise QueryError("No text holds this character.", match.start())
    found, at, terms = Query(), 0, 0
    while text[at:].strip():
        match = _WORD.match(text, at)
        if match is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise QueryError("This quote is never closed.", text.find('"', start), "Close it, or leave it out.")
        if (terms := terms + 1) > MOST_TERMS:
            raise QueryError(f"A search has at most {MOST_TERMS} terms.", match.start("value"))
        at = match.end()
        if text[at : at + 1] == '"' and not match["value"].startswith('"') and match["value"].endswith(":"):
            raise QueryError("This quote is never closed.", at, "Close it, or leave it out.")
        _add(found, match)
    return found


def toggled(text: str, key: str, value: str) -> tuple[str, bool]:
    """A search that parse() reads, with a term at its end, or without it where it stands; whether it stood there.

    What the term contradicts goes: another state, order, milestone or person, and no:label before a label.
    """
    wanted, kept, stood = (key, value.lower()), [], False
    for match in _WORD.finditer(text):
        found = (match["key"] or "").lower(), match["value"].strip('"').lower()
        if found == wanted and not match["minus"]:
            stood = True
        elif match["minus"] or not _contradicts(found, wanted):
            kept.append(match[0].strip())
    if not stood:
        kept.append(f"{key}:{value}" if _PLAIN.fullmatch(value) else f'{key}:"{value}"')
    return " ".join(kept), stood


def _contradicts(one: tuple[str, str], other: tuple[str, str]) -> bool:
    subject = _subject(*one)
    return subject == _subject(*other) and bool(subject) and not (one[0] == other[0] == "label")


def _subject(key: str, value: str) -> str:
    """What a term decides."""
    if key in {"is", "state"}:
        return "state" if value in {"open", "closed", "merged"} else "draft" if value == "draft" else "kind"
    return value if key == "no" else key


def _add(query: Query, match: re.Match[str]) -> None:
    key, value = (match["key"] or "").lower(), match["value"].strip('"')
    start = match.start("minus")
    if not key and value in {f"{name}:" for name in _QUALIFIERS}:
        raise QueryError(f"{value} needs a value.", match.end())
    if not key:
        query.words.append(("-" if match["minus"] else "") + value)
        return
    if match["minus"] and key != "label":
        raise QueryError(f"“-” cannot stand before {key}:.", start, "It can before label:.")
    if not value:
        raise QueryError(f"{key}: needs a value.", match.start("value"))
    if find := _of_people.get(key):
        query.people.append((find, value))
        return
    add = _QUALIFIERS.get(key)
    if add is None:
        known = ", ".join(f"{name}:" for name in (*_QUALIFIERS, *_of_people))
        raise QueryError(f"There is no qualifier {key}:.", start, f"There are {known}. Quote what is only text.")
    add(query, value, match)


def _is(query: Query, value: str, match: re.Match[str]) -> None:
    word = value.lower()
    if word in {"issue", "pr", "pull"}:
        query.kind = "issue" if word == "issue" else "pull"
    elif word in {"open", "closed", "merged"}:
        query.state = word
    elif word == "draft":
        query.draft = True
    else:
        raise QueryError(
            f"Nothing is {word[:40]!r}.", match.start("value"), "is: takes open, closed, merged, draft, issue, pr."
        )


def _no(query: Query, value: str, match: re.Match[str]) -> None:
    if value.lower() not in LACKS:
        raise QueryError("no: takes label, assignee or milestone.", match.start("value"))
    query.lacks.append(value.lower())


def _draft(query: Query, value: str, match: re.Match[str]) -> None:
    if value.lower() not in {"true", "false"}:
        raise QueryError("draft: takes true or false.", match.start("value"))
    query.draft = value.lower() == "true"


def _label(query: Query, value: str, match: re.Match[str]) -> None:
    (query.without_labels if match["minus"] else query.labels).append(value)


def _milestone(query: Query, value: str, _: re.Match[str]) -> None:
    query.milestone = value


def _sort(query: Query, value: str, match: re.Match[str]) -> None:
    name, _, direction = value.lower().partition("-")
    if name not in SORTS or direction not in {"", "asc", "desc"}:
        raise QueryError("sort: takes created, updated or comments, with -asc or -desc.", match.start("value"))
    query.sort, query.descending = name, direction != "asc"


_QUALIFIERS = {
    "is": _is,
    "state": _is,
    "author": lambda query, value, _: query.authors.append(value),
    "assignee": lambda query, value, _: query.assignees.append(value),
    "label": _label,
    "milestone": _milestone,
    "draft": _draft,
    "no": _no,
    "sort": _sort,
}
