"""What a repository asks of its branches: one rule per pattern; what several rules ask of one branch adds up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos import globs
from repos.models import Access, BranchRule, Repository

MOST = 50  # of a repository
MOST_APPROVALS, MOST_STATUSES, CONTEXT_CHARACTERS = 10, 50, 255
Push = BranchRule.Push
_STRICT = (Push.WRITERS, Push.ADMINS, Push.NOBODY)
# What no branch's name holds (git check-ref-format), besides the signs of a pattern.
_BAD = re.compile(r"[\x00-\x20\x7f~^:\[\\\ud800-\udfff]|\.\.|@\{|//|^[/-]|/$|\*\*\*")


@dataclass(frozen=True)
class Asked:
    """What the rules of one branch ask together. patterns: theirs. statuses: contexts. push: who may without a pull
    request. binds_admins: any of them does."""

    patterns: tuple[str, ...]
    push: str
    approvals: int
    approvals_of_head: bool
    owners: bool
    statuses: tuple[str, ...]
    up_to_date: bool
    reviewed_data: bool
    binds_admins: bool

    def binds(self, granted: Access) -> bool:
        return self.binds_admins or granted < Access.ADMIN

    def lets_push(self, granted: Access) -> bool:
        wanted = {Push.WRITERS: Access.WRITE, Push.ADMINS: Access.ADMIN}.get(Push(self.push))
        return not self.binds(granted) or (wanted is not None and granted >= wanted)


def listed(repository: Repository) -> QuerySet[BranchRule]:
    return BranchRule.objects.filter(repository=repository).order_by("pattern")


def asked_of(repository: Repository, branch: str) -> Asked | None:
    """None: no rule is for this branch."""
    return together(listed(repository), branch)


def together(rules: Iterable[BranchRule], branch: str) -> Asked | None:
    """asked_of, for many branches and rules that were read once."""
    found = [rule for rule in rules if globs.matches(rule.pattern, branch)]
    if not found:
        return None
    return Asked(
        patterns=tuple(rule.pattern for rule in found),
        push=max((Push(rule.push) for rule in found), key=_STRICT.index),
        approvals=max(rule.approvals for rule in found),
        approvals_of_head=any(rule.approvals_of_head for rule in found),
        owners=any(rule.owners for rule in found),
        statuses=tuple(dict.fromkeys(context for rule in found for context in rule.statuses)),
        up_to_date=any(rule.up_to_date for rule in found),
        reviewed_data=any(rule.reviewed_data for rule in found),
        binds_admins=any(rule.binds_admins for rule in found),
    )


# ---- change: the caller has asked the gate for ADMIN ---------------------------------------------
@dataclass(frozen=True)
class Fields:
    """A rule as people give it."""

    pattern: str
    push: str = Push.WRITERS
    approvals: int = 0
    approvals_of_head: bool = False
    owners: bool = False
    statuses: tuple[str, ...] = ()
    up_to_date: bool = False
    reviewed_data: bool = False
    binds_admins: bool = True


def fields_of(rule: BranchRule) -> Fields:
    values = {name: getattr(rule, name) for name in Fields.__dataclass_fields__}
    return Fields(**{**values, "statuses": tuple(rule.statuses)})


def rule_of(repository: Repository, rule_id: int) -> BranchRule:
    """Raises NotFound."""
    found = listed(repository).filter(pk=min(rule_id, 2**63 - 1)).first()
    if found is None:
        raise NotFound("There is no such rule here.", details="It may have been removed; look at the list of rules.")
    found.repository = repository
    return found


def add(actor: Actor, repository: Repository, fields: Fields) -> BranchRule:
    """Raises Unprocessable, or Conflict when the pattern has a rule."""
    values = _checked(fields)
    if listed(repository).count() >= MOST:
        raise Unprocessable(f"A repository has at most {MOST} rules.", details="One pattern may be for many branches.")
    try:
        with transaction.atomic():
            rule = BranchRule.objects.create(repository=repository, **values)
            _record(actor, "branch_rule.add", repository, before=None, after=values)
    except IntegrityError as error:
        raise _taken(fields.pattern) from error
    return rule


def change(actor: Actor, rule: BranchRule, fields: Fields) -> None:
    """All of it is as given. Raises what add raises."""
    values = _checked(fields)
    try:
        with transaction.atomic():
            row = listed(rule.repository).select_for_update().filter(pk=rule.pk).first()
            if row is None:
                raise NotFound("Somebody removed this rule.", details="Add it again.")
            before = asdict(fields_of(row))
            BranchRule.objects.filter(pk=rule.pk).update(**values)
            _record(actor, "branch_rule.change", rule.repository, before=before, after=values)
    except IntegrityError as error:
        raise _taken(fields.pattern) from error


def remove(actor: Actor, rule: BranchRule) -> None:
    with transaction.atomic():
        if listed(rule.repository).filter(pk=rule.pk).delete()[0]:
            _record(actor, "branch_rule.remove", rule.repository, before=asdict(fields_of(rule)), after=None)


def _checked(fields: Fields) -> dict[str, Any]:
    if not fields.pattern or len(fields.pattern) > globs.MOST_CHARACTERS or _BAD.search(fields.pattern):
        raise Unprocessable(
            "That is no pattern for names of branches.",
            details="Write a branch's name; * stands for anything but a slash, ** for anything: main, release/*.",
        )
    if fields.push not in Push.values:
        raise Unprocessable(f"Who may push is one of {', '.join(Push.values)}.")
    if not 0 <= fields.approvals <= MOST_APPROVALS:
        raise Unprocessable(f"A rule asks for 0 to {MOST_APPROVALS} approvals.")
    return {**asdict(fields), "statuses": checked_contexts(fields.statuses)}


def checked_contexts(contexts: Iterable[str]) -> list[str]:
    """Each once, in the order given. Raises Unprocessable."""
    found = list(dict.fromkeys(context.strip() for context in contexts if context.strip()))
    if len(found) > MOST_STATUSES:
        raise Unprocessable(f"A rule asks for at most {MOST_STATUSES} statuses.")
    for context in found:
        if len(context) > CONTEXT_CHARACTERS or not context.isprintable():
            raise Unprocessable(f"A status's name has at most {CONTEXT_CHARACTERS} characters, all of them printable.")
    return found


def _taken(pattern: str) -> Conflict:
    return Conflict(f"There is a rule for '{pattern}' already.", details="Change that one.")


def _record(actor: Actor, action: str, repository: Repository, *, before: Any, after: Any) -> None:
    audit.record(
        action,
        actor,
        subject=f"{(after or before)['pattern']} on {repository.full_name}",
        of=repository,
        before=before,
        after=after,
    )
