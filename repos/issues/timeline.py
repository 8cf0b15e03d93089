"""A conversation as a page shows it: some entries, rendered, with what its reader may do to each."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.accounts.actor import Actor
from hub.lib import markdown
from hub.lib.errors import Invalid
from hub.lib.tasklists import Box
from repos.issues.models import Entry, Issue
from repos.issues.references import References, references_of
from repos.issues.rights import Rights
from repos.issues.texts import digest
from repos.models import Repository

PAGE_ENTRIES = 50


@dataclass(frozen=True)
class Shown:
    """html: of a comment's text. seen: names that text for who may tick its boxes; "" for others, and without boxes."""

    entry: Entry
    html: SafeString | str
    may_edit: bool
    may_remove: bool
    seen: str


@dataclass(frozen=True)
class Conversation:
    """body: of the issue itself, on the first page. after: the id of the last entry, where more follow; else 0.

    seen: as of Shown, of the issue's own text.
    """

    body: SafeString | str
    seen: str
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
        may_edit = rights.edit_comment(entry)
        html, seen = _tickable(entry.body, mentioned, may_edit)
        shown.append(Shown(entry, html, may_edit, rights.remove_comment(entry), seen))
    html, seen = _tickable(body, mentioned, rights.edit(issue))
    return Conversation(html, seen, shown, entries[-1].pk if len(found) > PAGE_ENTRIES else 0)


def _tickable(text: str, mentioned: References, may_edit: bool) -> tuple[SafeString | str, str]:
    if not text:
        return "", ""
    if not may_edit or "[" not in text:
        return rendered(text, mentioned), ""
    html = markdown.render(text, references=mentioned.links, box=_button)
    return html, digest(text) if 'name="box"' in html else ""


def _button(box: Box) -> SafeString:
    """A button that looks like a box: it works without JavaScript, in the form that stands around the text."""
    return format_html(
        '<button class="task-box" name="box" value="{}-{}" role="checkbox" aria-checked="{}" aria-label="{}"></button>',
        box.number,
        "open" if box.done else "done",
        "true" if box.done else "false",
        box.label or "Task",
    )


def preview(repository: Repository, actor: Actor, text: str) -> SafeString:
    """A text as it will be shown."""
    return rendered(text, references_of(repository, actor, [text]))


def rendered(text: str, mentioned: References) -> SafeString:
    return markdown.render(text, references=mentioned.links)
