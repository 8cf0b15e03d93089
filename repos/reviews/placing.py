"""What stands below the lines of the Files tab: slots into which threads are loaded when they come into view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Min
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hub.accounts.actor import Actor
from repos import diffs
from repos.issues.models import Entry, Thread
from repos.models import Repository
from repos.place import url
from repos.pulls import changed
from repos.pulls.beside import Said
from repos.pulls.changed import Ends
from repos.pulls.models import PullRequest
from repos.reviews.following import Where, followed
from repos.reviews.lines import NEW
from repos.reviews.models import Comment
from repos.reviews.reviewing import pending_of, waiting

MOST_THREADS = 1_000  # of one pull request on its Files tab, the newest; the conversation has all
LOST = "lost"  # the key of what stands below the whole file
EXCERPT_CHARACTERS = 200


def said_beside(actor: Actor, pull: PullRequest, paths: Sequence[str]) -> Said:
    """For repos.pulls.beside: path → line → HTML. A fixed number of queries, whatever is said."""
    threads = _threads(pull)
    comments = _own(actor, pull)
    if not threads and not comments:
        return {}
    ends = changed.ends_of(pull)
    now = followed(pull.repository, [(one, _end(ends, one)) for one in [*threads, *comments]])
    renamed, wanted = _renamed(pull.repository, ends), set(paths)
    places = {one.pk: _place(one, now[one.pk], renamed) for one in [*threads, *comments]}
    here = [one for one in threads if places[one.pk][0] in wanted]
    firsts = _firsts(here)
    pieces: dict[tuple[str, str], list[SafeString]] = defaultdict(list)
    for thread in here:
        if thread.pk in firsts:
            pieces[places[thread.pk]].append(_slot(pull, thread, firsts[thread.pk]))
    for one in comments:
        if places[one.pk][0] in wanted:
            pieces[places[one.pk]].append(_pending(pull, one))
    found: Said = defaultdict(dict)
    for (path, line), some in pieces.items():
        found[path][line] = format_html_join("", "{}", ((one,) for one in some))
    return found


def _threads(pull: PullRequest) -> list[Thread]:
    rows = Thread.objects.filter(issue=pull.issue, kind=Thread.Kind.LINE).order_by("-pk")[:MOST_THREADS]
    return list(reversed(rows))


def _own(actor: Actor, pull: PullRequest) -> list[Thread]:
    """The actor's pending comments on lines as threads that are nowhere kept: their ids are below zero."""
    review = pending_of(actor, pull)
    found = []
    for comment in waiting(review).filter(thread=None) if review else ():
        thread = Thread(
            pk=-comment.pk, kind=Thread.Kind.LINE, path=comment.path, rev=comment.rev, detail=comment.detail
        )
        thread.pending = comment  # type: ignore[attr-defined]
        found.append(thread)
    return found


def _end(ends: Ends, thread: Thread) -> str:
    return ends.head if thread.detail["side"] == NEW else ends.base


def _renamed(repository: Repository, ends: Ends) -> dict[str, str]:
    """old name → name, of files that differ."""
    files = diffs.listed(repository, ends.base, ends.head, ignore_space=False)
    return {file.old_name: file.name for file in files if file.status == "renamed"}


def _place(thread: Thread, now: Where, renamed: dict[str, str]) -> tuple[str, str]:
    """(path of the file on the page, the line's key)."""
    new = thread.detail["side"] == NEW
    path = now.path or thread.path
    name = path if new else renamed.get(path, path)
    return name, LOST if now.outdated else f"{'R' if new else 'L'}{now.end}"


def _firsts(threads: list[Thread]) -> dict[int, Entry]:
    """id of the thread → its first comment, in one query."""
    ids = Entry.objects.filter(thread__in=threads).order_by().values("thread").annotate(first=Min("pk")).values("first")
    rows = Entry.objects.filter(pk__in=ids).select_related("author").defer("detail")
    return {entry.thread_id or 0: entry for entry in rows}


def _slot(pull: PullRequest, thread: Thread, first: Entry) -> SafeString:
    """The way to a thread, which htmx replaces by the thread itself; a settled one waits for a click."""
    return format_html(
        '<div class="thread-slot" id="thread-{}" hx-get="{}" hx-trigger="{}" hx-target="this" hx-swap="outerHTML">'
        '<a href="{}">{}: {}</a>{}</div>',
        thread.pk,
        address := url(pull.repository, "issues", "threads", str(thread.pk)),
        "click" if thread.resolved else "revealed",
        address,
        first.author.username if first.author else "somebody who left",
        _excerpt(first.body),
        format_html(' <span class="badge">{}</span>', "resolved") if thread.resolved else "",
    )


def _excerpt(body: str) -> str:
    """The first line that says something in plain words."""
    lines = (line.strip() for line in body[: 10 * EXCERPT_CHARACTERS].splitlines())
    said = next((line for line in lines if line and not line.startswith(("```", "~~~"))), "")
    return said[:EXCERPT_CHARACTERS] or "a comment"


def _pending(pull: PullRequest, thread: Thread) -> SafeString:
    comment: Comment = thread.pending  # type: ignore[attr-defined]
    return render_to_string("reviews/_pending.html", {"repository": pull.repository, "pull": pull, "comment": comment})
