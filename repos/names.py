"""A repository's name: free or taken, and what a change of it leaves behind for readers of the old one."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from hub.accounts.models import Owner
from hub.lib import names
from hub.lib.errors import Unprocessable
from repos.models import OldName, Repository


def require_free(owner: Owner, name: str) -> None:
    """Raises Unprocessable when the name is not allowed or this owner has a repository of that name."""
    names.check_repository_name(name)
    if Repository.objects.filter(owner=owner, name_key=name.lower(), deleted=None).exists():
        raise taken(owner, name)


def insert(repository: Repository) -> None:
    """Save a new repository; nobody is redirected from its name any more. Raises Unprocessable when it is taken."""
    _save(repository, force_insert=True)
    _forget(repository.owner, repository.name)


def take(repository: Repository, *, owner: Owner, name: str) -> None:
    """Give it another name or owner; readers of the old name are redirected. Raises Unprocessable when taken."""
    old_owner, old_name = repository.owner, repository.name
    repository.owner, repository.name = owner, name
    _save(repository, update_fields=["owner", "name", "name_key", "updated"])
    _forget(owner, name)
    if (old_owner.pk, old_name.lower()) != (owner.pk, name.lower()):
        OldName.objects.update_or_create(
            owner_key=old_owner.name_key, name_key=old_name.lower(), defaults={"repository": repository}
        )


def taken(owner: Owner, name: str) -> Unprocessable:
    return Unprocessable(f"{owner.name}/{name} already exists.", details="Choose another name.")


def _save(repository: Repository, **options: object) -> None:
    try:
        with transaction.atomic():
            repository.save(**options)
    except IntegrityError as error:
        raise taken(repository.owner, repository.name) from error


def _forget(owner: Owner, name: str) -> None:
    OldName.objects.filter(owner_key=owner.name_key, name_key=name.lower()).delete()
