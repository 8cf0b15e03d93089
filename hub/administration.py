"""What `covey admin …` does: for whoever controls the machine, so the gate is not asked; the audit log is told."""

from __future__ import annotations

from pathlib import Path

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction

from datasets.storage import quotas
from hub import sign_in_link
from hub.accounts import audit, people, tokens
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Conflict, NotFound, Unprocessable
from hub.lib.numbers import whole
from repos.models import Repository

CONSOLE = Actor(address="console")


def create_user(name: str, *, email: str, administrator: bool = False, password: str | None = None) -> User:
    """A new person. Without a password they can only come in by a sign-in link. Raises Unprocessable or Conflict."""
    adapter = get_adapter()
    try:
        name = adapter.clean_username(name)
        email = adapter.clean_email(email)
        person = User(username=name, email=email)
        person.clean_fields(exclude=["owner", "password"])
        if password is not None:
            adapter.clean_password(password, person)
    except ValidationError as error:
        raise Unprocessable(" ".join(error.messages)) from error
    if User.objects.filter(email__iexact=email).exists():
        raise Conflict(f"Another account uses {email}.")
    with transaction.atomic():
        make = User.objects.create_superuser if administrator else User.objects.create_user
        person = make(name, email, password)
        EmailAddress.objects.create(user=person, email=email, primary=True, verified=True)
        audit.record(
            "user.create", CONSOLE, subject=name, owner_id=person.owner_id, after={"administrator": administrator}
        )
    return person


def create_token(
    name: str, *, label: str, scopes: str | None = None, repository: str | None = None, days: int = tokens.DEFAULT_DAYS
) -> str:
    """The secret of a new access token. scopes: "repo:write,data:read"; None is write in every area."""
    person = find_user(name)
    chosen = tokens.WRITE_SCOPES if scopes is None else {word.strip() for word in scopes.split(",") if word.strip()}
    bound = find_repository(repository) if repository else None
    with transaction.atomic():
        row, secret = tokens.create(
            person, name=label, scopes=chosen, repository_id=bound.pk if bound else None, days=days
        )
        audit.record(
            "token.create",
            CONSOLE,
            subject=row.name,
            of=bound,
            owner_id=person.owner_id,
            after={"scopes": row.scopes, "expires": row.expires.isoformat()},
        )
    return secret


def create_sign_in_link(name: str) -> str:
    person = find_user(name)
    audit.record("user.create_sign_in_link", CONSOLE, subject=person.username, owner_id=person.owner_id)
    return sign_in_link.make(person)


def set_active(name: str, active: bool) -> User:
    """Let a person in no more, or again. Raises NotFound, Conflict for the last administrator."""
    person = User.objects.filter(owner__name_key=name.lower()).first()
    if person is None:
        raise NotFound(f"Nobody is named {name!r}.")
    return (people.reactivate if active else people.deactivate)(CONSOLE, person.pk)


def set_data_limit(full_name: str, limit: str) -> Repository:
    """limit: bytes, or "default". Raises NotFound, Unprocessable."""
    bytes_ = whole(limit)
    if bytes_ is None and limit != "default":
        raise Unprocessable(f"{limit!r} is no limit.", details="Write a number of bytes, 0 for none, or default.")
    repository = find_repository(full_name)
    quotas.set_limit(CONSOLE, repository, bytes_)
    return repository


def repository_path(full_name: str) -> Path:
    return find_repository(full_name).path


def find_user(name: str) -> User:
    person = User.objects.filter(owner__name_key=name.lower(), is_active=True).first()
    if person is None:
        raise NotFound(f"No active user is named {name!r}.")
    return person


def find_repository(full_name: str) -> Repository:
    owner, slash, name = full_name.partition("/")
    if not slash:
        raise Unprocessable(f"{full_name!r} is not a repository.", details="Write it as OWNER/NAME.")
    found = Repository.objects.select_related("owner").filter(
        owner__name_key=owner.lower(), name_key=name.lower(), deleted=None
    )
    repository = found.first()
    if repository is None:
        raise NotFound(f"No repository is named {full_name}.")
    return repository
