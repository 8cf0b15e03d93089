"""The one way refs change: policy, a row that says what is about to happen, git's own swap, then the event.

A push runs judge() inside git's pre-receive hook and settle() after git ended. Web edits, the API and merges call
publish(). A hub killed in between leaves a PREPARED row; reconcile() asks git what became of it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.jobs import outbox
from hub.lib.errors import Busy, Conflict, NotFound, OutOfSpace, Unprocessable, says_disk_full
from hub.lib.outages import DATABASE_AWAY, outage
from repos import policy, signals
from repos.git import damage
from repos.git.commands import GitError
from repos.git.read import shown
from repos.git.store import ZERO, ObjectsRefused, Quarantine, RefChange, RefMoved, RepositoryMissing, refs, size_on_disk
from repos.models import Push, RefUpdate, Repository
from repos.storage import store

logger = logging.getLogger("covey.publishing")
# Git moves refs within seconds of the verdict; a row older than this belongs to a hub that died.
ABANDONED_AFTER = timedelta(seconds=60)
MAX_LISTED = 50  # refs named in one audit event; the Push row has them all


class RefGone(NotFound):
    """What was to be deleted is not there any more."""


class NameTaken(Conflict):
    """Git keeps refs as files: main and main/x cannot both be."""


def publish(
    repository: Repository,
    actor: Actor,
    changes: Sequence[RefChange],
    *,
    quarantine: Quarantine | None = None,
    unmoved: Mapping[str, str] | None = None,
    via: str = "web",
    reviewed: bool = False,
) -> Push:
    """Store the quarantine's objects and move the refs, all or none; durable and announced on return.

    unmoved: other refs that must still be at these ids when it happens, as the merge of a branch needs.
    reviewed: the merge of a pull request, as policy.check says.

    Raises what policy.check raises, Conflict when a ref is no longer at its old id, RefGone, NameTaken, Unprocessable
    when git refuses the objects.
    """
    push = judge(repository, actor, changes, quarantine=quarantine, via=via, reviewed=reviewed)
    try:
        store().publish(repository.pk, quarantine, changes, unmoved=unmoved)
    except (RefMoved, ObjectsRefused) as error:
        if says_disk_full(error):  # git refused for that; the push is settled when there is room again
            raise OutOfSpace() from error
        settle(push, ())
        if isinstance(error, ObjectsRefused):
            raise Unprocessable("Git refuses these files.", details=str(error)[:500]) from error
        _say_why(repository, changes)
        raise Conflict("Somebody changed this branch in the meantime.", details="Reload, then try again.") from error
    try:
        settle(push, [change.ref for change in changes])
    except DatabaseError as error:
        if says_disk_full(error):
            raise OutOfSpace(
                "The hub's disk became full.",
                details="Git has your change; its page shows it once there is room.",
            ) from error
        if outage(error):
            raise Busy(DATABASE_AWAY, details="Git has your change; its page shows it some minutes later.") from error
        raise
    return push


def _say_why(repository: Repository, changes: Sequence[RefChange]) -> None:
    """Raises RefGone when a ref that was to be deleted is not there, NameTaken when one that is there stands in the way
    of a new one."""
    there = refs(store().open_for_read(repository.pk))
    for change in changes:
        if change.new == ZERO and change.ref not in there:
            kind = "tag" if change.ref.startswith("refs/tags/") else "branch"
            name = shown(change.ref.split("/", 2)[2])
            raise RefGone(f"The {kind} '{name}' no longer exists.", details="Nothing is left to delete.")
        for ref in there:
            if change.old == ZERO and (ref.startswith(f"{change.ref}/") or change.ref.startswith(f"{ref}/")):
                name, other = (shown(full.split("/", 2)[2]) for full in (change.ref, ref))
                raise NameTaken(f"'{name}' cannot be made while there is '{other}'.", details="Choose another name.")


def judge(
    repository: Repository,
    actor: Actor,
    changes: Sequence[RefChange],
    *,
    quarantine: Quarantine | None = None,
    via: str = "git",
    reviewed: bool = False,
) -> Push:
    """Ask the policy and write down what is about to happen: the PREPARED push. Raises what policy.check raises."""
    forced = policy.check(repository, actor, changes, quarantine=quarantine, reviewed=reviewed)
    with transaction.atomic():
        push = Push.objects.create(repository=repository, user=actor.user, token_id=actor.token_id, via=via)
        RefUpdate.objects.bulk_create(
            RefUpdate(push=push, ref=c.ref, old=c.old, new=c.new, forced=c.ref in forced) for c in changes
        )
    return push


def settle(push: Push, applied: Collection[str]) -> None:
    """Write down which refs git moved and announce them, in one transaction. Settling twice changes nothing."""
    repository = Repository.objects.select_related("owner").get(pk=push.repository_id)
    path = store().open_for_read(repository.pk)
    branches = refs(path, "refs/heads/") if applied else {}
    size = size_on_disk(path) if applied else 0
    damage.pushed(path, applied)
    with transaction.atomic():
        settled = Push.objects.filter(pk=push.pk).exclude(state=Push.State.DONE)
        state = Push.State.DONE if applied else Push.State.FAILED
        if not settled.update(state=state, settled=timezone.now()) or not applied:
            return
        rows = [row for row in push.updates.all() if row.ref in set(applied)]
        for row in rows:
            row.applied = True
        RefUpdate.objects.bulk_update(rows, ["applied"], batch_size=500)
        _record_losses(push, repository, rows)
        now = timezone.now()
        Repository.objects.filter(pk=repository.pk).update(
            ref_generation=F("ref_generation") + 1, pushed=now, updated=now, empty=not branches, size_bytes=size
        )
        _adopt_first_branch(repository, branches)
        outbox.announce(signals.PUSHED, {"repository_id": repository.pk, "push_id": push.pk})


def _record_losses(push: Push, repository: Repository, rows: list[RefUpdate]) -> None:
    """Force pushes and deleted branches are security acts."""
    lossy = [row for row in rows if row.forced or (row.new == ZERO and row.ref.startswith("refs/heads/"))]
    if lossy:
        audit.record(
            "git.rewrite",
            Actor(user=push.user, token_id=push.token_id),
            subject=repository.full_name,
            of=repository,
            before={row.ref: row.old for row in lossy[:MAX_LISTED]},
            after={row.ref: row.new for row in lossy[:MAX_LISTED]},
        )


def _adopt_first_branch(repository: Repository, branches: dict[str, str]) -> None:
    """When nothing was there and the first push brings another branch than the default one, that is the default."""
    if not repository.empty or not branches or f"refs/heads/{repository.default_branch}" in branches:
        return
    name = sorted(branches)[0].removeprefix("refs/heads/")
    Repository.objects.filter(pk=repository.pk).update(default_branch=name)
    store().set_head(repository.pk, name)


def reconcile(push: Push) -> None:
    """Settle a push whose hub died: git knows which of its refs moved."""
    try:
        current = refs(store().open_for_read(push.repository_id))
    except (RepositoryMissing, GitError):
        logger.exception("push %s of repository %s cannot be settled", push.pk, push.repository_id)
        return
    applied = []
    for update in push.updates.all():
        # A later push may have moved the ref on already; then that push says where it started.
        moved_on = RefUpdate.objects.filter(
            push__repository=push.repository_id, push__gt=push.pk, ref=update.ref, old=update.new, applied=True
        )
        if current.get(update.ref, ZERO) == update.new or moved_on.exists():
            applied.append(update.ref)
    settle(push, applied)


def abandoned() -> list[Push]:
    """Pushes that nobody settled in time, oldest first."""
    before = timezone.now() - ABANDONED_AFTER
    return list(Push.objects.filter(state=Push.State.PREPARED, created__lt=before).order_by("pk")[:500])
