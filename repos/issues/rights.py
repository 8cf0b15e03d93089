"""Who may do what with issues: readers who are signed in open and comment, writers triage, authors edit their own."""

from __future__ import annotations

from dataclasses import dataclass

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib.errors import Denied, Unauthenticated
from repos import access
from repos.issues.models import Entry, Issue
from repos.models import Access, Repository

SAID = (Entry.Kind.COMMENT, Entry.Kind.REVIEWED)  # whose text is its author's to change


@dataclass(frozen=True)
class Rights:
    """user None: may read only. triage: label, assign, lock; close and rename what others opened."""

    user: User | None
    triage: bool

    def comment(self, issue: Issue) -> bool:
        return self.user is not None and (self.triage or not issue.locked)

    def change(self, issue: Issue) -> bool:
        """Its title and its state."""
        return self.triage or self._own(issue.author_id, issue)

    def edit(self, issue: Issue) -> bool:
        """Its text."""
        return self._own(issue.author_id, issue)

    def edit_comment(self, entry: Entry) -> bool:
        return entry.kind in SAID and self._own(entry.author_id, entry.issue)

    def remove_comment(self, entry: Entry) -> bool:
        return entry.kind == Entry.Kind.COMMENT and (self.triage or self._own(entry.author_id, entry.issue))

    def _own(self, author_id: int | None, issue: Issue) -> bool:
        return self.user is not None and self.user.pk == author_id and self.comment(issue)


def rights_of(actor: Actor, repository: Repository) -> Rights:
    """repository: as the gate gave it, with what it granted."""
    if not actor.has_scope(Area.ISSUES, write=True):
        return Rights(None, triage=False)
    return Rights(actor.user, triage=actor.user is not None and repository.granted >= Access.WRITE)


def taking_part(actor: Actor, repository: Repository) -> tuple[Rights, User]:
    """Before every change. Raises Unauthenticated, or Denied when the token may not write here."""
    if actor.user is None:
        raise Unauthenticated("Sign in to take part.")
    access.require_scope(actor, Area.ISSUES, write=True)
    return rights_of(actor, repository), actor.user


def triaging(actor: Actor, repository: Repository) -> User:
    """Raises Unauthenticated or Denied."""
    rights, user = taking_part(actor, repository)
    require(rights.triage, "label, assign and lock")
    return user


def require(allowed: bool, what: str) -> None:
    if not allowed:
        raise Denied(f"You may not {what} here.", details="Ask somebody with write access to the repository.")
