"""Who is asking: one immutable value that every surface passes to the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hub.accounts.models import User


class Area(StrEnum):
    """What part of a repository (or of the account) a request touches; tokens are scoped per area."""

    REPO = "repo"
    DATA = "data"
    EXPERIMENTS = "experiments"
    ISSUES = "issues"
    ACCOUNT = "account"


ALL_SCOPES = frozenset(f"{area}:{verb}" for area in Area for verb in ("read", "write"))


@dataclass(frozen=True)
class Actor:
    """user None: anonymous. scopes: what the credential allows; a session allows everything its user may do.

    repository_id: the only repository a bound token may touch. session: came by cookie, so writes need CSRF.
    """

    user: User | None = None
    token_id: int | None = None
    scopes: frozenset[str] = field(default_factory=lambda: ALL_SCOPES)
    repository_id: int | None = None
    session: bool = False
    address: str = ""

    @property
    def user_id(self) -> int | None:
        return self.user.pk if self.user else None

    @property
    def username(self) -> str:
        """ "" for nobody."""
        return self.user.username if self.user else ""

    @property
    def is_anonymous(self) -> bool:
        return self.user is None

    def has_scope(self, area: Area, *, write: bool) -> bool:
        return f"{area}:write" in self.scopes or (not write and f"{area}:read" in self.scopes)


ANONYMOUS = Actor()
