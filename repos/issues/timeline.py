"""A conversation as a page shows it: some entries, rendered, with what its reader may do to each."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString

from hub.accounts.actor import Actor
from hub.lib import markdown
from hub.lib.errors import Invalid
from repos.issues.models import Entry, Issue
from repos.issues.references import References, references_of
from repos.issues.rights import Rights
from repos.models import Repository

PAGE_ENTRIES = 50


@dataclass(frozen=True)
class Shown:
    """html: of a comment's text."""

    entry: Entry
    html: SafeString | str
    may_edit: bool
    may_remove: bool


@dataclass(frozen=True)
class Conversation:
    """body: of the issue itself, on the first page. after: the id of the last entry, where more follow; else 0."""

    body: SafeString | str
    entries: list[Shown]
    after: int


def conversation(issue: Issue, actor: Actor, rights: Rights, *, after: str = "") -> Conversation:
    """Raises Invalid for a bad `after`."""
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise Invalid("That page of the conversation does not exist.")
    rows = issue.entries.select_related("author").filter(pk__gt=int(after or 0)).order_by("pk")
    found = list(rows[: PAGE_ENTRIES + 1])
    entries, body = found[:PAGE_ENTRIES], "" if after else issue.body
    mentioned = references_of(issue.repository, actor, [body, *(entry.body for entry in entries)])
    shown = []
    for entry in entries:
        entry.issue = issue
        html = rendered(entry.body, mentioned) if entry.body else ""
        shown.append(Shown(entry, html, rights.edit_comment(entry), rights.remove_comment(entry)))
    return Conversation(rendered(body, mentioned), shown, entries[-1].pk if len(found) > PAGE_ENTRIES else 0)


def preview(repository: Repository, actor: Actor, text: str) -> SafeString:
    """A text as it will be shown."""
    return rendered(text, references_of(repository, actor, [text]))


def rendered(text: str, mentioned: References) -> SafeString:
    return markdown.render(text, references=mentioned.links)
