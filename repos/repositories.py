"""A repository's life: create, change, rename, delete. Values in, rows out; every security act is audited.

Git on disk is made before the row can be seen: a hub killed in between leaves an unnamed folder, never a row
without its git. Callers have asked the gate; only create asks for itself, since there is nothing to ask about yet.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils import timezone

from hub.accounts import audit
from hub.accounts.actor import Actor, Area
from hub.accounts.models import Owner, User
from hub.jobs import outbox
from hub.lib.errors import Denied, Unauthenticated, Unprocessable
from repos import access, names, signals, starting
from repos.git import creation, store
from repos.models import OldName, Push, RefUpdate, Repository, Topic, Transfer

NO_COMMIT = "0" * 40
DESCRIPTION_LETTERS, TOPICS = 350, 20
_TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
AUDITED = ("private", "default_branch", "protected")


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


# ---- create --------------------------------------------------------------------------------------
def create(
    actor: Actor, owner: Owner, name: str, *, description: str = "", private: bool = True, start: Start = EMPTY
) -> Repository:
    """A new repository of this owner, on disk and in the database.

    Raises Unprocessable (name not allowed or taken, unknown licence), Denied (not yours, or the token is too small).
    """
    _require_owner(actor, owner)
    names.require_free(owner, name)
    repository = Repository(owner=owner, name=name, description=checked_description(description), private=private)
    folder = settings.GIT_ROOT / "new" / secrets.token_hex(16)
    try:
        creation.make_bare(folder, branch=repository.default_branch)
        commit = _first_commit(folder, repository, actor, start)
        with transaction.atomic():
            repository.empty = not commit
            repository.pushed = timezone.now() if commit else None
            names.insert(repository)
            _record_first_push(repository, actor, commit)
            _record(actor, "repository.create", repository, after={"name": repository.full_name, "private": private})
            _move(folder, store.path_of(settings.GIT_ROOT, repository.pk))
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # moved away when all went well
    repository.granted = access.Access.ADMIN
    return repository


def author_of(user: User) -> str:
    """How git names this person: "Name <mail>"; what git would trip over is left out."""
    name = "".join(letter for letter in user.display_name if letter.isprintable() and letter not in "<>").strip()
    host = urlsplit(settings.COVEY_URL).hostname
    return f"{name or user.username} <{user.email or f'{user.username}@users.noreply.{host}'}>"


def _require_owner(actor: Actor, owner: Owner) -> None:
    """Raises Unauthenticated, or Denied when this actor may not make repositories for this owner."""
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
    creation.fsync(target.parent)


# ---- change --------------------------------------------------------------------------------------
def update(
    actor: Actor,
    repository: Repository,
    *,
    description: str | None = None,
    website: str | None = None,
    private: bool | None = None,
    default_branch: str | None = None,
    protected: bool | None = None,
    topics: Iterable[str] | None = None,
) -> Repository:
    """Change what is not None. Raises Unprocessable with nothing changed."""
    wanted = {
        "description": None if description is None else checked_description(description),
        "website": None if website is None else checked_website(website),
        "private": private,
        "default_branch": default_branch,
        "protected": protected,
    }
    labels = None if topics is None else checked_topics(topics)
    with transaction.atomic():
        row = Repository.objects.select_for_update(of=("self",)).select_related("owner").get(pk=repository.pk)
        changes = {name: new for name, new in wanted.items() if new is not None and new != getattr(row, name)}
        if "default_branch" in changes:
            _point_head(row, str(default_branch))
        before = {name: getattr(row, name) for name in changes if name in AUDITED}
        for name, new in changes.items():
            setattr(row, name, new)
        if changes:
            row.save(update_fields=[*changes, "updated"])
        if before:
            _record(actor, "repository.update", row, before=before, after={name: changes[name] for name in before})
        if labels is not None:
            _replace_topics(row, labels)
    row.granted = repository.granted
    return row


def checked_description(text: str) -> str:
    """One line of at most 350 characters. Raises Unprocessable."""
    text = " ".join(text.split())
    if len(text) > DESCRIPTION_LETTERS:
        raise Unprocessable(
            f"The description is longer than {DESCRIPTION_LETTERS} characters.", details="Put the rest into the README."
        )
    return text


def checked_website(text: str) -> str:
    """An http or https address, or nothing. Raises Unprocessable."""
    text = text.strip()
    if text:
        try:
            URLValidator(schemes=["http", "https"])(text)
        except ValidationError as error:
            raise Unprocessable("The website is not an http or https address.") from error
        if len(text) > 200:
            raise Unprocessable("The website's address is longer than 200 characters.")
    return text


def checked_topics(topics: Iterable[str]) -> list[str]:
    """Lower case, each once, in the order given. Raises Unprocessable."""
    wanted = list(dict.fromkeys(topic.strip().lower() for topic in topics if topic.strip()))
    if bad := [topic for topic in wanted if not _TOPIC.fullmatch(topic)]:
        raise Unprocessable(
            f"{bad[0][:60]!r} cannot be a topic.", details="Use up to 39 lower-case letters, digits and '-'."
        )
    if len(wanted) > TOPICS:
        raise Unprocessable(f"A repository has at most {TOPICS} topics.")
    return wanted


def _replace_topics(repository: Repository, topics: list[str]) -> None:
    repository.topics.exclude(name__in=topics).delete()
    Topic.objects.bulk_create([Topic(repository=repository, name=topic) for topic in topics], ignore_conflicts=True)


def _point_head(repository: Repository, branch: str) -> None:
    """HEAD in git, which a clone checks out. Raises Unprocessable when the branch does not exist."""
    path = store.path_of(settings.GIT_ROOT, repository.pk)
    if not creation.is_branch_name(branch):
        raise Unprocessable("That is not a name git allows for a branch.")
    if not repository.empty and not creation.has_branch(path, branch):
        raise Unprocessable(f"There is no branch {branch[:100]!r}.", details="Push it first, then make it the default.")
    creation.point_head(path, branch)


def rename(actor: Actor, repository: Repository, name: str) -> Repository:
    """Give it another name; readers of the old one are redirected until somebody takes it. Raises Unprocessable."""
    if name == repository.name:
        return repository
    if name.lower() != repository.name_key:
        names.require_free(repository.owner, name)
    with transaction.atomic():
        old = repository.full_name
        names.take(repository, owner=repository.owner, name=name)
        _record(actor, "repository.rename", repository, before={"name": old}, after={"name": repository.full_name})
    return repository


# ---- delete --------------------------------------------------------------------------------------
def delete(actor: Actor, repository: Repository) -> None:
    """Hide it at once on every surface; its stores are removed by whoever receives DELETED. The name is free again."""
    now = timezone.now()
    with transaction.atomic():
        Repository.objects.filter(pk=repository.pk).update(deleted=now)
        OldName.objects.filter(repository=repository).delete()
        Transfer.objects.filter(repository=repository).delete()
        repository.tokens.filter(revoked=None).update(revoked=now)
        _record(actor, "repository.delete", repository, before={"name": repository.full_name})
        outbox.announce(signals.DELETED, {"repository_id": repository.pk})


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
