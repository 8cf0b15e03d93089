"""A conversation as a page shows it: some entries, rendered, with what its reader may do to each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.accounts.actor import Actor
from hub.lib import slow_texts
from hub.lib.errors import Invalid
from hub.lib.numbers import whole
from hub.lib.tasklists import Box
from repos.issues import threads, told
from repos.issues.models import Entry, Issue, Thread
from repos.issues.references import References, references_of
from repos.issues.rights import SAID, Rights
from repos.issues.texts import digest
from repos.issues.threads import Below, ShownSpot
from repos.models import Repository

PAGE_ENTRIES = 50
THREAD_ENTRIES = 20  # of each thread at once
NOWHERE = ShownSpot("A place that you cannot see")


@dataclass(frozen=True)
class ShownThread:
    """first: the comment that began it, None on a page of its hidden ones. comments: those at the end, in order.

    hidden: how many lie between; before: the id of the comment that they come before.
    """

    thread: Thread
    spot: ShownSpot
    first: Shown | None
    comments: list[Shown]
    may_reply: bool
    may_resolve: bool
    hidden: int = 0
    before: int = 0


@dataclass(frozen=True)
class Shown:
    """html: of a comment's text. seen: names that text for who may tick its boxes; "" for others, and without boxes.

    thread: that this comment has begun, in a conversation. below: what stands below its text.
    """

    entry: Entry
    html: SafeString | str
    may_edit: bool
    may_remove: bool
    seen: str
    thread: ShownThread | None = None
    below: Below | None = None


@dataclass(frozen=True)
class Conversation:
    """body: of the issue itself, on the first page. after: the id of the last entry, where more follow; else 0. newest:
    that of the entry after which the last page begins, where that is further on; else 0.

    seen: as of Shown, of the issue's own text.
    """

    body: SafeString | str
    seen: str
    entries: list[Shown]
    after: int
    newest: int = 0


def conversation(issue: Issue, actor: Actor, rights: Rights, *, after: str = "") -> Conversation:
    """Raises Invalid for a bad `after`."""
    rows = (
        standing(issue).select_related("author", "thread__resolved_by").filter(pk__gt=number_of(after)).order_by("pk")
    )
    found = list(rows[: PAGE_ENTRIES + 1])
    entries, body = found[:PAGE_ENTRIES], "" if after else issue.body
    begun = [entry.thread for entry in entries if entry.thread]
    for thread in begun:
        thread.issue = issue
    comments = _comments_of(begun)
    texts = [entry.body for entry in (*entries, *(entry for some in comments.values() for entry in some))]
    mentioned = references_of(issue.repository, actor, [body, *texts])
    threaded = {one.thread.pk: one for one in _threads(issue.repository, actor, rights, begun, comments, mentioned)}
    shown = [_shown(entry, issue, rights, mentioned, threaded.get(entry.thread_id or 0)) for entry in entries]
    shown = [_told(one, actor) if one.entry.kind in told.KINDS else one for one in shown]
    html, seen = _tickable(body, mentioned, rights.edit(issue))
    if len(found) <= PAGE_ENTRIES:
        return Conversation(html, seen, shown, 0)
    last = entries[-1].pk
    ids = standing(issue).order_by("-pk").values_list("pk", flat=True)
    newest = ids[PAGE_ENTRIES]  # which there is: a whole page, and what follows it
    return Conversation(html, seen, shown, last, newest if newest > last else 0)


def standing(issue: Issue) -> QuerySet[Entry]:
    """Entries that stand in the conversation by themselves: later comments of a thread are shown below its first."""
    earlier = Entry.objects.filter(thread=OuterRef("thread"), pk__lt=OuterRef("pk"))
    return issue.entries.filter(~Exists(earlier))


def shown_threads(repository: Repository, actor: Actor, rights: Rights, found: Sequence[Thread]) -> list[ShownThread]:
    """Threads of any issues here, with issue and resolved_by, for a page of another kind than a conversation."""
    comments = _comments_of(found)
    mentioned = references_of(repository, actor, [entry.body for some in comments.values() for entry in some])
    return _threads(repository, actor, rights, found, comments, mentioned)


def hidden_of(thread: Thread, actor: Actor, rights: Rights, *, before: str) -> ShownThread:
    """Some of the comments that a long thread hides, those just before one. Raises Invalid for a bad `before`."""
    first = thread.comments.order_by("pk").values_list("pk", flat=True)[0]
    rows = thread.comments.filter(pk__gt=first, pk__lt=number_of(before)).select_related("author").order_by("-pk")
    some = list(reversed(rows[:PAGE_ENTRIES]))
    mentioned = references_of(thread.repository, actor, [entry.body for entry in some])
    comments = [_shown(entry, thread.issue, rights, mentioned) for entry in some]
    hidden = rows.count() - len(some)
    return ShownThread(thread, NOWHERE, None, comments, False, False, hidden, some[0].pk if some else 0)


def _comments_of(found: Sequence[Thread]) -> dict[int, list[Entry]]:
    """id of the thread → its first comment and the last ones, each with its place in the thread from both ends."""
    if not found:
        return {}
    places = {
        "place": Window(RowNumber(), partition_by=F("thread"), order_by="pk"),
        "left": Window(RowNumber(), partition_by=F("thread"), order_by="-pk"),
    }
    rows = Entry.objects.filter(thread__in=found).annotate(**places).filter(Q(place=1) | Q(left__lte=THREAD_ENTRIES))
    comments: dict[int, list[Entry]] = defaultdict(list)
    for entry in rows.select_related("author").order_by("pk"):
        comments[entry.thread_id or 0].append(entry)
    return comments


def _threads(
    repository: Repository,
    actor: Actor,
    rights: Rights,
    found: Sequence[Thread],
    comments: dict[int, list[Entry]],
    mentioned: References,
) -> list[ShownThread]:
    spots = threads.shown_spots(actor, repository, found)
    for thread in found:
        for entry in comments[thread.pk]:
            entry.thread = thread
    below = threads.below(actor, repository, (one for some in comments.values() for one in some), spots)
    shown = []
    for thread in found:
        first, *rest = comments[thread.pk]
        hidden: int = rest[0].place - 2 if rest else 0  # type: ignore[attr-defined]
        shown.append(
            ShownThread(
                thread,
                spots.get(thread.pk, NOWHERE),
                _shown(first, thread.issue, rights, mentioned, below=below.get(first.pk)),
                [_shown(entry, thread.issue, rights, mentioned, below=below.get(entry.pk)) for entry in rest],
                may_reply=rights.comment(thread.issue),
                may_resolve=threads.may_resolve(rights, thread, first),
                hidden=hidden,
                before=rest[0].pk if hidden else 0,
            )
        )
    return shown


def _shown(
    entry: Entry,
    issue: Issue,
    rights: Rights,
    mentioned: References,
    thread: ShownThread | None = None,
    below: Below | None = None,
) -> Shown:
    entry.issue = issue
    may_edit = rights.edit_comment(entry)
    said = entry.body if entry.kind in SAID and not thread else ""  # the reason of a dismissal stands in its sentence
    html, seen = _tickable(said, mentioned, may_edit)
    return Shown(entry, html, may_edit, rights.remove_comment(entry), seen, thread, below)


def _told(shown: Shown, actor: Actor) -> Shown:
    return replace(shown, html=told.KINDS[shown.entry.kind].html(shown.entry, actor))


def _tickable(text: str, mentioned: References, may_edit: bool) -> tuple[SafeString | str, str]:
    if not text:
        return "", ""
    if not may_edit or "[" not in text:
        return rendered(text, mentioned), ""
    html = rendered(text, mentioned, box=_button)
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


def number_of(text: str) -> int:
    """The id of an entry that an address names; 0 for none. Raises Invalid."""
    number = whole(text or "0")
    if number is None:
        raise Invalid("That page of the conversation does not exist.")
    return number


def preview(repository: Repository, actor: Actor, text: str) -> SafeString:
    """A text as it will be shown."""
    return rendered(text, references_of(repository, actor, [text]))


def rendered(text: str, mentioned: References, *, box: Callable[[Box], SafeString] | None = None) -> SafeString:
    return slow_texts.render(
        text,
        references=mentioned.links,
        cards=mentioned.cards,
        gone=mentioned.gone,
        box=box,
        seconds=mentioned.until - time.monotonic(),
    )
