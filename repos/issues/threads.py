"""Threads: what is said about one place. Begin one, reply, resolve; and which are about a place that is shown.

An app registers per kind of place how it is checked and shown; the rest is the same for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import transaction
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.accounts.actor import Actor, Area
from hub.lib.errors import NotFound, Unprocessable
from repos.issues.conversation import comment, something, speaking, touch
from repos.issues.models import Entry, Issue, Thread
from repos.issues.rights import Rights, require, taking_part
from repos.issues.texts import UNSTORABLE, checked
from repos.models import Repository

PATH_CHARACTERS, PATH_BYTES = 1000, 2000  # what an index of PostgreSQL holds
MOST_AT = 500  # shown at one place; the newest


@dataclass(frozen=True)
class Spot:
    """A place that something is said about. The fields are those of models.Thread."""

    kind: str
    path: str
    rev: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ShownSpot:
    """title: in words. address: of the page that shows it, "" for none. quoted: HTML of what it says there.

    outdated: the place is not there any more as it was; quoted says what it was.
    """

    title: str
    address: str = ""
    quoted: SafeString | str = ""
    outdated: bool = False


class Kind(Protocol):
    """What an app knows of one kind of place."""

    def check(self, actor: Actor, repository: Repository, spot: Spot) -> Spot:
        """The spot as it is kept, detail with what is quoted later. detail is as somebody sent it: nothing in it is
        sure. Raises NotFound (no such place, or none this actor may read) or Unprocessable."""
        ...

    def shown(self, actor: Actor, repository: Repository, threads: Sequence[Thread]) -> dict[int, ShownSpot]:
        """id of the thread → its place, for this reader; with a fixed number of questions for all of them. A thread
        that is left out, since its reader may not read what it is about, is shown without its place."""
        ...


class Below(Protocol):
    """What stands below the text of a comment: a template, which gets this as `below`."""

    @property
    def template(self) -> str: ...


Extra = Callable[[Actor, Repository, Sequence[Entry], Mapping[int, ShownSpot]], Mapping[int, Below]]
"""(reader, repository, comments of threads of one kind, the places of their threads) → id of the comment → Below."""

_kinds: dict[str, Kind] = {}
_extras: dict[str, Extra] = {}


def register(name: str, kind: Kind) -> None:
    _kinds[name] = kind


def register_below(name: str, extra: Extra) -> None:
    _extras[name] = extra


def begin(actor: Actor, issue: Issue, spot: Spot, body: str, **detail: Any) -> Entry:
    """Say the first thing about a place, in the conversation of an issue or pull request.

    Raises NotFound or Unprocessable (the place), and what conversation.comment raises. detail: of the entry.
    """
    speaking(actor, issue)
    body, spot = something(body), checked_spot(actor, issue.repository, spot)
    with transaction.atomic():
        return write(actor, issue, spot, body, **detail)


def checked_spot(actor: Actor, repository: Repository, spot: Spot) -> Spot:
    """Raises NotFound or Unprocessable."""
    kind = _kinds.get(spot.kind)
    if kind is None:
        raise Unprocessable("Nothing can be said about that kind of place.", details=f"Kinds: {', '.join(_kinds)}.")
    path = checked(spot.path, "The path")
    if not path or len(path) > PATH_CHARACTERS or len(path.encode()) > PATH_BYTES:
        raise Unprocessable(f"A place has a path of 1 to {PATH_CHARACTERS:,} characters.")
    return kind.check(actor, repository, spot)


def write(actor: Actor, issue: Issue, spot: Spot, body: str, **detail: Any) -> Entry:
    """The rows of a thread whose spot is checked, inside the caller's transaction."""
    values = {"kind": spot.kind, "path": spot.path, "rev": spot.rev, "detail": spot.detail}
    made = Thread.objects.create(issue=issue, repository=issue.repository, created=timezone.now(), **values)
    return comment(actor, issue, body, thread=made, **detail)


def reply(actor: Actor, thread: Thread, body: str, **detail: Any) -> Entry:
    return comment(actor, thread.issue, body, thread=thread, **detail)


def resolve(actor: Actor, thread: Thread) -> None:
    """What is settled; its comments stay, folded."""
    _set_resolved(actor, thread, True)


def unresolve(actor: Actor, thread: Thread) -> None:
    _set_resolved(actor, thread, False)


def _set_resolved(actor: Actor, thread: Thread, resolved: bool) -> None:
    rights, user = taking_part(actor, thread.repository)
    require(may_resolve(rights, thread, thread.comments.order_by("pk")[0]), "resolve this thread")
    now = {"resolved": timezone.now(), "resolved_by": user} if resolved else {"resolved": None, "resolved_by": None}
    with transaction.atomic():
        if Thread.objects.filter(pk=thread.pk, resolved__isnull=resolved).update(**now):
            touch(thread.issue)


def may_resolve(rights: Rights, thread: Thread, first: Entry) -> bool:
    """Writers, whoever opened the issue or pull request, and whoever wrote the first comment."""
    if rights.user is None or not rights.comment(thread.issue):
        return False
    return rights.triage or rights.user.pk in {thread.issue.author_id, first.author_id}


def thread_of(repository: Repository, thread_id: int) -> Thread:
    """Raises NotFound, also for one of another repository."""
    found = Thread.objects.filter(pk=min(thread_id, 2**63 - 1), repository=repository)
    thread = found.select_related("issue__author", "resolved_by").first()
    if thread is None:
        raise NotFound("That thread does not exist.")
    return _here(thread, repository)


def at(repository: Repository, actor: Actor, kind: str, path: str) -> list[Thread]:
    """What is said about the places of one path, in open and closed issues, oldest first; the newest MOST_AT of them.

    Nothing for an actor whose token may not read issues: the gate was asked about another area.
    """
    if not actor.has_scope(Area.ISSUES, write=False) or UNSTORABLE.search(path):  # a name that is not UTF-8
        return []
    rows = Thread.objects.filter(repository=repository, kind=kind, path=path).select_related("issue", "resolved_by")
    return [_here(thread, repository) for thread in reversed(rows.order_by("-pk")[:MOST_AT])]


def shown_spots(actor: Actor, repository: Repository, threads: Iterable[Thread]) -> dict[int, ShownSpot]:
    """id of the thread → its place, as the app that knows its kind shows it."""
    by_kind: dict[str, list[Thread]] = defaultdict(list)
    for thread in threads:
        by_kind[thread.kind].append(_here(thread, repository))
    found: dict[int, ShownSpot] = {}
    for name, some in by_kind.items():
        if kind := _kinds.get(name):
            found |= kind.shown(actor, repository, some)
    return found


def below(
    actor: Actor, repository: Repository, comments: Iterable[Entry], spots: Mapping[int, ShownSpot]
) -> dict[int, Below]:
    """id of the comment → what stands below its text. comments: with their threads."""
    by_kind: dict[str, list[Entry]] = defaultdict(list)
    for entry in comments:
        if entry.thread:
            by_kind[entry.thread.kind].append(entry)
    found: dict[int, Below] = {}
    for name, some in by_kind.items():
        if extra := _extras.get(name):
            found |= extra(actor, repository, some, spots)
    return found


def shown_spot(actor: Actor, repository: Repository, spot: Spot) -> ShownSpot:
    """A spot that nobody has said anything about yet; checked."""
    values = {"kind": spot.kind, "path": spot.path, "rev": spot.rev, "detail": spot.detail}
    thread = Thread(pk=0, issue=Issue(repository=repository), repository=repository, **values)
    return shown_spots(actor, repository, [thread]).get(0, ShownSpot(spot.path))


def _here(thread: Thread, repository: Repository) -> Thread:
    thread.repository = thread.issue.repository = repository
    return thread
