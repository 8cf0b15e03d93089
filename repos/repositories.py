"""A repository's life: create, change, rename, transfer, share, star, delete. Values in, rows out; every act audited.

Git on disk is made before the row can be seen: a hub killed in between leaves an unnamed folder, never a row
without its git.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.accounts import audit
from hub.accounts.actor import Actor, Area
from hub.accounts.models import Owner, User
from hub.jobs import outbox
from hub.lib import names
from hub.lib.errors import Denied, NotFound, Unauthenticated, Unprocessable
from repos import access, signals, starting
from repos.git import creation, store
from repos.models import OldName, Push, RefUpdate, Repository

NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Start:
    """What the first commit holds; nothing chosen means an empty repository."""

    readme: bool = False
    gitignore: str = ""
    licence: str = ""
    dvc: bool = False

    @property
    def nothing(self) -> bool:
        return not (self.readme or self.gitignore or self.licence or self.dvc)


EMPTY = Start()


def create(
    actor: Actor, owner: Owner, name: str, *, description: str = "", private: bool = True, start: Start = EMPTY
) -> Repository:
    """A new repository of this owner, on disk and in the database.

    Raises Unprocessable (name not allowed or taken, unknown licence), Denied (not yours, or the token is too small).
    """
    _require_owner(actor, owner)
    names.check_repository_name(name)
    description = checked_description(description)
    repository = Repository(owner=owner, name=name, description=description, private=private)
    if _taken(owner, name):
        raise _name_taken(repository)
    folder = settings.GIT_ROOT / "new" / secrets.token_hex(16)
    try:
        creation.make_bare(folder, branch=repository.default_branch)
        commit = _first_commit(folder, repository, actor, start)
        with transaction.atomic():
            _insert(repository, commit)
            _record_first_push(repository, actor, commit)
            _record(actor, "repository.create", repository, after={"name": repository.full_name, "private": private})
            _move(folder, store.path_of(settings.GIT_ROOT, repository.pk))
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # moved away when all went well
    repository.granted = access.Access.ADMIN
    return repository


def owner_named(actor: Actor, name: str) -> Owner:
    """The owner in whose name this actor wants to act. Raises NotFound."""
    if owner := Owner.objects.filter(name_key=name.lower()).first():
        return owner
    raise NotFound(f"There is nobody called {name[:40]}.")


def author_of(user: User) -> str:
    """How git names this person: "Name <mail>"; what git would trip over is left out."""
    name = "".join(letter for letter in user.display_name if letter.isprintable() and letter not in "<>").strip()
    host = urlsplit(settings.COVEY_URL).hostname
    return f"{name or user.username} <{user.email or f'{user.username}@users.noreply.{host}'}>"


def checked_description(text: str) -> str:
    """One line of at most 350 characters. Raises Unprocessable."""
    text = " ".join(text.split())
    if len(text) > 350:
        raise Unprocessable("The description is longer than 350 characters.", details="Put the rest into the README.")
    return text


def _require_owner(actor: Actor, owner: Owner) -> User:
    """The user, when they may make repositories for this owner. Raises Unauthenticated or Denied."""
    if actor.user is None:
        raise Unauthenticated()
    access.require_scope(actor, Area.REPO, write=True)
    if actor.repository_id is not None:
        raise Denied(
            "This access token is bound to one repository and cannot make another.",
            details="Make a token without a repository under Settings → Access tokens.",
        )
    if actor.user.owner_id != owner.pk:
        raise Denied(f"You may not make repositories for {owner.name}.", details="Make it under your own name.")
    return actor.user


def _first_commit(folder: Path, repository: Repository, actor: Actor, start: Start) -> str:
    """The id of the root commit written into folder, or "" for an empty repository."""
    if start.nothing:
        return ""
    assert actor.user
    files: dict[str, bytes] = {}
    if start.readme:
        files["README.md"] = starting.readme(repository.name, repository.description)
    if start.gitignore:
        files[".gitignore"] = starting.gitignore(start.gitignore)
    if start.licence:
        files["LICENSE"] = starting.licence(start.licence, actor.user.display_name)
    if start.dvc:
        files |= starting.dvc_files(f"{settings.COVEY_URL}/{repository.full_name}.dvc")
    return creation.first_commit(
        folder,
        branch=repository.default_branch,
        files=files,
        author=author_of(actor.user),
        message="Initial commit",
    )


def _insert(repository: Repository, commit: str) -> None:
    """Take the name: from now on nobody is redirected from it. Raises Unprocessable when somebody was faster."""
    repository.empty = not commit
    if commit:
        repository.ref_generation, repository.pushed = 1, timezone.now()
    try:
        with transaction.atomic():
            repository.save(force_insert=True)
    except IntegrityError as error:
        raise _name_taken(repository) from error
    _forget_old_name(repository.owner, repository.name)


def _record_first_push(repository: Repository, actor: Actor, commit: str) -> None:
    if not commit:
        return
    now = timezone.now()
    push = Push.objects.create(
        repository=repository, user=actor.user, token_id=actor.token_id, via="web", state=Push.State.DONE, settled=now
    )
    ref = f"refs/heads/{repository.default_branch}"
    RefUpdate.objects.create(push=push, ref=ref, old=NO_COMMIT, new=commit, applied=True)
    outbox.announce(signals.PUSHED, {"repository_id": repository.pk, "push_id": push.pk})


def _move(folder: Path, target: Path) -> None:
    """Put the finished repository where its id says. What lies there belongs to a creation that was killed."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    folder.rename(target)


def _taken(owner: Owner, name: str) -> bool:
    return Repository.objects.filter(owner=owner, name_key=name.lower(), deleted=None).exists()


def _name_taken(repository: Repository) -> Unprocessable:
    return Unprocessable(f"{repository.full_name} already exists.", details="Choose another name.")


def _forget_old_name(owner: Owner, name: str) -> None:
    OldName.objects.filter(owner_key=owner.name_key, name_key=name.lower()).delete()


def _record(actor: Actor, action: str, repository: Repository, *, before: object = None, after: object = None) -> None:
    audit.record(
        action,
        actor,
        subject=repository.full_name,
        owner_id=repository.owner_id,
        repository_id=repository.pk,
        before=before,
        after=after,
    )
