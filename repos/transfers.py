"""Give a repository to another owner: offered by its administrator, made real only by the one who receives it.

An offer changes nothing. Accepting moves the row to the new owner in one transaction; git, data and experiments are
keyed by id and stay where they are. The former owner keeps write access, and the old name redirects readers.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from hub.accounts import audit
from hub.accounts.actor import Actor, Area
from hub.accounts.models import Owner, User
from hub.lib.errors import Denied, NotFound, Unauthenticated, Unprocessable
from repos import access, names
from repos.models import Access, Membership, Repository, Transfer


def offer(actor: Actor, repository: Repository, recipient: User) -> Transfer:
    """Offer it to one person; a newer offer replaces the older. Raises Unprocessable."""
    if actor.user is None:
        raise Unauthenticated()
    if recipient.owner_id == repository.owner_id:
        raise Unprocessable(f"{recipient.username} owns this repository already.")
    names.require_free(recipient.owner, repository.name)
    with transaction.atomic():
        made, _ = Transfer.objects.update_or_create(
            repository=repository, defaults={"recipient": recipient.owner, "offered_by": actor.user}
        )
        _record(actor, "transfer.offer", repository, recipient.owner)
    return made


def cancel(actor: Actor, repository: Repository) -> None:
    """Take an offer back. Raises NotFound when there is none."""
    with transaction.atomic():
        made = Transfer.objects.select_related("recipient").filter(repository=repository).first()
        if made is None:
            raise NotFound("This repository is not on offer.")
        made.delete()
        _record(actor, "transfer.cancel", repository, made.recipient)


def offer_for(actor: Actor, transfer_id: int) -> Transfer:
    """An open offer to this actor. Raises NotFound for everybody else's, like for none."""
    if actor.user is None:
        raise Unauthenticated()
    access.require_scope(actor, Area.REPO, write=True)
    if transfer := offers_to(actor).filter(pk=transfer_id).first():
        return transfer
    raise NotFound("There is no such offer.")


def offers_to(actor: Actor) -> QuerySet[Transfer]:
    """The open offers to this actor. Raises Denied for a token bound to one repository, Unauthenticated."""
    if actor.user is None:
        raise Unauthenticated()
    if actor.repository_id is not None:
        raise Denied("This access token is bound to one repository and cannot take another.")
    rows = Transfer.objects.select_related("repository__owner", "recipient", "offered_by")
    return rows.filter(recipient=actor.user.owner_id, repository__deleted=None).order_by("-pk")


def accept(actor: Actor, transfer: Transfer) -> Repository:
    """Take it over. Raises Unprocessable when the new owner has that name by now, NotFound when the offer is gone."""
    with transaction.atomic():
        repository = _offered(transfer)
        former, old_name = repository.owner, repository.full_name
        Transfer.objects.filter(pk=transfer.pk).delete()
        names.take(repository, owner=transfer.recipient, name=repository.name)
        new_user = User.objects.filter(owner=transfer.recipient).first()
        Membership.objects.filter(repository=repository, user=new_user).delete()
        if former_user := User.objects.filter(owner=former).first():
            Membership.objects.update_or_create(
                repository=repository, user=former_user, defaults={"access": Access.WRITE.value}
            )
        _record(actor, "transfer.accept", repository, transfer.recipient, before=old_name)
    return repository


def _offered(transfer: Transfer) -> Repository:
    """The repository, locked, while the offer still stands. Raises NotFound."""
    found = Repository.objects.select_for_update(of=("self",)).select_related("owner")
    repository = found.filter(pk=transfer.repository_id, deleted=None, transfer__pk=transfer.pk).first()
    if repository is None:
        raise NotFound("The offer was taken back.")
    return repository


def decline(actor: Actor, transfer: Transfer) -> None:
    with transaction.atomic():
        Transfer.objects.filter(pk=transfer.pk).delete()
        _record(actor, "transfer.decline", transfer.repository, transfer.recipient)


def _record(actor: Actor, action: str, repository: Repository, recipient: Owner, *, before: str = "") -> None:
    audit.record(
        action,
        actor,
        subject=repository.full_name,
        of=repository,
        before={"name": before or repository.full_name},
        after={"owner": recipient.name},
    )
