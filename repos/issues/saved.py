"""Searches of the lists by name: personal ones, and those that a repository shares. The usual ones need no row."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from hub.accounts.actor import Actor
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos.issues import query
from repos.issues.models import SavedQuery
from repos.issues.rights import require, taking_part, triaging
from repos.issues.texts import checked_name
from repos.models import Repository

MOST = 50  # shared ones of a repository, and personal ones of somebody in it, of each list
MOST_NAME = 100


def usual(actor: Actor, *, kind: str) -> list[tuple[str, str]]:
    """(name, search) of what everybody looks for."""
    found = [("Open", query.DEFAULT)]
    if actor.user:
        found += [("Assigned to me", "is:open assignee:@me"), ("Created by me", "is:open author:@me")]
    if actor.user and kind == "pull" and query.knows("review-requested"):
        found.append(("Review asked", "is:open review-requested:@me"))
    return found


def usable(repository: Repository, actor: Actor, *, kind: str) -> list[SavedQuery]:
    """The shared ones, then the actor's own, each in their order."""
    return list(_usable(repository, actor).filter(kind=kind).order_by("-shared", "place", "pk")[: 2 * MOST])


def query_of(repository: Repository, actor: Actor, number: int) -> SavedQuery:
    """Raises NotFound, also for somebody else's personal one."""
    found = _usable(repository, actor).filter(pk=min(number, 2**63 - 1)).first()
    if found is None:
        raise NotFound("There is no such saved search here.")
    found.repository = repository
    return found


def save(actor: Actor, repository: Repository, *, kind: str, name: str, text: str, shared: bool) -> SavedQuery:
    """Under a name of one's own: what was there by that name is replaced. Raises Unprocessable, Conflict, Denied."""
    user = triaging(actor, repository) if shared else taking_part(actor, repository)[1]
    name = checked_name(name, "The name")
    if len(name) > MOST_NAME:
        raise Unprocessable(f"A saved search has a name of at most {MOST_NAME} characters.")
    query.parse(text)
    kept = {"query": text.strip(), "shared": shared}
    try:
        with transaction.atomic():
            Repository.objects.select_for_update().get(pk=repository.pk)  # so that the count holds
            row = SavedQuery.objects.filter(repository=repository, owner=user, kind=kind, name=name).first()
            if row is not None and row.shared:
                triaging(actor, repository)
            if row is not None and row.shared == shared:
                SavedQuery.objects.filter(pk=row.pk).update(**kept)
                return row
            beside = _group(repository, user.pk, kind=kind, shared=shared)
            if beside.count() >= MOST:
                raise Unprocessable(f"There are {MOST} saved searches already.", details="Remove one first.")
            kept["place"] = (beside.aggregate(last=Max("place"))["last"] or 0) + 1
            return SavedQuery.objects.update_or_create(
                repository=repository, owner=user, kind=kind, name=name, defaults=kept
            )[0]
    except IntegrityError as error:
        raise Conflict(f"Somebody else shares a search called {name!r}.", details="Choose another name.") from error


def move(actor: Actor, saved: SavedQuery, *, up: bool) -> None:
    """One place towards the beginning, or towards the end. The last stays last."""
    _require(actor, saved)
    with transaction.atomic():
        Repository.objects.select_for_update().get(pk=saved.repository_id)
        rows = list(_group(saved.repository, saved.owner_id, kind=saved.kind, shared=saved.shared))
        at = next((at for at, row in enumerate(rows) if row.pk == saved.pk), None)
        if at is None:
            return
        rows.insert(max(0, at - 1) if up else at + 1, rows.pop(at))
        for place, row in enumerate(rows, 1):
            row.place = place
        SavedQuery.objects.bulk_update(rows, ["place"])


def remove(actor: Actor, saved: SavedQuery) -> None:
    _require(actor, saved)
    saved.delete()


def may_change(actor: Actor, saved: SavedQuery, *, triage: bool) -> bool:
    """What everybody uses is changed by those who may write by now, whoever made it."""
    return triage if saved.shared else saved.owner_id == actor.user_id


def _require(actor: Actor, saved: SavedQuery) -> None:
    rights, _ = taking_part(actor, saved.repository)
    require(may_change(actor, saved, triage=rights.triage), "change a search that everybody uses")


def _usable(repository: Repository, actor: Actor) -> QuerySet[SavedQuery]:
    mine = Q(shared=True) | Q(owner=actor.user) if actor.user else Q(shared=True)
    return SavedQuery.objects.filter(mine, repository=repository)


def _group(repository: Repository, owner_id: int, *, kind: str, shared: bool) -> QuerySet[SavedQuery]:
    rows = SavedQuery.objects.filter(repository=repository, kind=kind, shared=shared)
    return (rows if shared else rows.filter(owner=owner_id)).order_by("place", "pk")
