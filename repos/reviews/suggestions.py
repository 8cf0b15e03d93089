"""Suggestions: ```suggestion blocks in comments on lines, shown as a small difference and applied as one commit."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos import access, editing, repositories
from repos.access import Access
from repos.editing import Put
from repos.git import read
from repos.issues import threads
from repos.issues.models import Entry, Thread
from repos.issues.texts import digest
from repos.place import store_of
from repos.pulls import branches
from repos.pulls.models import PullRequest
from repos.reviews.following import followed
from repos.reviews.lines import MOST_BYTES, NEW, encoding_of

MOST = 50  # applied by one commit
_BEGINS = re.compile(r"(?P<fence>`{3,}|~{3,})[ \t]*suggestion[ \t]*")


@dataclass(frozen=True)
class Suggestion:
    """lines: what is to stand there instead; none at all removes them."""

    entry: Entry
    thread: Thread
    lines: tuple[str, ...]


def lines_in(body: str) -> tuple[str, ...] | None:
    """Of the first block of a text that ends; None when there is none. In time proportional to the text."""
    lines = body.split("\n")
    last = {line.rstrip(" \t"): number for number, line in enumerate(lines) if line.startswith(("```", "~~~"))}
    for number, line in enumerate(lines):
        begins = _BEGINS.fullmatch(line)
        if begins and last.get(begins["fence"], -1) > number:
            end = next(n for n in range(number + 1, len(lines)) if lines[n].rstrip(" \t") == begins["fence"])
            return tuple(lines[number + 1 : end])
    return None


def suggestion_of(entry: Entry) -> Suggestion | None:
    """What a comment suggests; only about lines of the new side of a pull request."""
    thread = entry.thread
    if thread is None or thread.kind != Thread.Kind.LINE or thread.detail["side"] != NEW or not thread.issue.is_pull:
        return None
    lines = lines_in(entry.body) if entry.kind == Entry.Kind.COMMENT else None
    return None if lines is None else Suggestion(entry, thread, lines)


def apply(
    actor: Actor,
    pull: PullRequest,
    entry_ids: Sequence[int],
    *,
    seen: Mapping[int, str] = MappingProxyType({}),
    message: str = "",
    via: str = "web",
) -> str:
    """Put suggestions into the head branch as one commit, and resolve their threads; the commit. seen: digests of the
    comments' texts as whoever applies them has read them.

    Raises NotFound (no such suggestion), Conflict (the lines changed since, or another one changes them too), Denied,
    Unprocessable.
    """
    target = access.check(actor, pull.source, need=Access.WRITE, area=Area.REPO)
    if not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.")
    found, head = _found(pull, entry_ids), branches.tips_of(pull).head
    if head is None:
        raise NotFound(f"The branch '{read.shown(pull.head)}' is gone.", details="Push it again first.")
    if any(seen.get(one.entry.pk) not in {None, digest(one.entry.body)} for one in found):
        raise Conflict(
            "Somebody changed a suggestion since you saw it.", details="Reload the page, then read it again."
        )
    changes = _changes(pull, found, head)
    commit = editing.commit_changes(
        target,
        actor,
        branch=pull.head,
        changes=changes,
        message=_message(actor, found, message),
        expected_tip=head,
        via=via,
    )
    if commit == head:
        raise Unprocessable("The lines say that already.", details="Resolve the thread instead.")
    for suggestion in found:
        threads.resolve(actor, suggestion.thread)
    return commit


def _found(pull: PullRequest, entry_ids: Sequence[int]) -> list[Suggestion]:
    wanted = set(entry_ids)
    if not 1 <= len(wanted) <= MOST:
        raise Unprocessable(f"Choose 1 to {MOST} suggestions.")
    rows = Entry.objects.filter(issue=pull.issue, pk__in=[min(one, 2**63 - 1) for one in wanted])
    found = []
    for entry in rows.select_related("thread", "author").order_by("pk"):
        if entry.thread:
            entry.thread.issue, entry.thread.repository = pull.issue, pull.repository
        if suggestion := suggestion_of(entry):
            found.append(suggestion)
    if len(found) < len(wanted):
        raise NotFound("There is no such suggestion.", details="Its comment may have been changed; reload the page.")
    return found


def _changes(pull: PullRequest, found: list[Suggestion], head: str) -> list[Put]:
    """One per file. Raises Conflict."""
    now = followed(pull.repository, [(one.thread, head) for one in found])
    by_path: dict[str, list[tuple[int, int, Suggestion]]] = defaultdict(list)
    for one in found:
        where = now[one.thread.pk]
        if where.outdated:
            raise Conflict(
                f"Lines of '{one.thread.path}' changed since this was suggested.",
                details="Make the change by hand, or ask for a new suggestion.",
            )
        by_path[where.path].append((where.start, where.end, one))
    return [_changed(pull, head, path, places) for path, places in by_path.items()]


def _changed(pull: PullRequest, head: str, path: str, places: list[tuple[int, int, Suggestion]]) -> Put:
    store = store_of(pull.repository)
    entry = read.find_entry(store, head, path)
    if entry is None or entry.kind != "file":
        raise Conflict(f"'{path}' is no file any more.", details="Make the change by hand.")
    blob = read.read_blob(store, entry.oid, limit_bytes=MOST_BYTES)
    if not blob.complete:
        raise Conflict(f"'{path}' is too large by now.", details="Make the change by hand.")
    lines, below, encoding = blob.data.split(b"\n"), len(blob.data), encoding_of(blob.data)
    for start, end, one in sorted(places, key=lambda place: -place[0]):
        if end >= below:
            raise Conflict(f"Two suggestions change the same lines of '{path}'.", details="Apply one, then the other.")
        below = start
        # As the lines that go; an open last line ends as the one above it.
        like = lines[start - 1] if start < len(lines) or start == 1 else lines[start - 2]
        returns = b"\r" if like.endswith(b"\r") else b""
        put = [_encoded(path, line, encoding) + returns for line in one.lines]
        if end == len(lines) and put:  # the last line has no end, and gets none
            put[-1] = put[-1].removesuffix(b"\r")
        lines[start - 1 : end] = put
    return Put(path, b"\n".join(lines), expected=entry.oid)


def _encoded(path: str, line: str, encoding: str) -> bytes:
    """As the rest of the file is. Raises Conflict."""
    try:
        return line.encode(encoding)
    except UnicodeEncodeError as error:
        letter = line[error.start]
        raise Conflict(
            f"'{path}' is no UTF-8, and “{letter}” cannot be written in it as it is.",
            details="Make the change by hand, or turn the file into UTF-8 first.",
        ) from error


def _message(actor: Actor, found: list[Suggestion], message: str) -> str:
    """With a line for each author of a suggestion who is not the one who applies it."""
    subject = message.strip() or ("Apply a suggestion" if len(found) == 1 else f"Apply {len(found)} suggestions")
    authors: dict[int, User] = {one.entry.author.pk: one.entry.author for one in found if one.entry.author}
    others = [author for pk, author in authors.items() if pk != actor.user_id]
    trailers = "\n".join(f"Co-authored-by: {repositories.author_of(author)}" for author in others)
    return f"{subject}\n\n{trailers}".strip()
