"""A repository's life: create, change, rename, delete. Values in, rows out; every security act is audited.

Git on disk is made before the row can be seen: a hub killed in between leaves an unnamed folder, never a row
without its git. Callers have asked the gate; only create asks for itself, since there is nothing to ask about yet.
"""

from __future__ import annotations

import re
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
from repos import access, names, publishing, signals, starting, storage
from repos.git import creation
from repos.git.store import ZERO, RefChange
from repos.models import OldName, Repository, Topic, Transfer

DESCRIPTION_LETTERS, TOPICS = 350, 20
_TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
AUDITED = ("private", "default_branch")


@dataclass(frozen=True)
class Start:
    """What the first commit holds; nothing chosen means an empty repository."""

    readme: bool = False
    gitignore: str = ""
    licence: str = ""
    dvc: bool = False


EMPTY = Start()


# ---- create --------------------------------------------------------------------------------------
def create(
    actor: Actor, owner: Owner, name: str, *, description: str = "", private: bool = True, start: Start = EMPTY
) -> Repository:
    """A new repository of this owner, on disk and in the database.

    Raises Unprocessable (name not allowed or taken, unknown licence), Denied (not yours, or the token is too small).
    """
    user = _require_owner(actor, owner)
    names.require_free(owner, name)
    repository = Repository(owner=owner, name=name, description=checked_description(description), private=private)
    files = _first_files(repository, user, start)
    try:
        with transaction.atomic():
            names.insert(repository)
            storage.store().remove(repository.pk)  # an id freed by a rollback may have left its folder behind
            path = storage.store().create(repository.pk, default_branch=repository.default_branch)
            _commit_first(path, repository, actor, files)
            _record(actor, "repository.create", repository, after={"name": repository.full_name, "private": private})
    except BaseException:  # also what stops the process: the row is rolled back, so its folder goes too
        if repository.pk:
            storage.store().remove(repository.pk)
        raise
    repository.granted = access.Access.ADMIN
    return repository


def hub_author() -> str:
    """Of commits that no person makes."""
    return f"Covey <covey@users.noreply.{urlsplit(settings.COVEY_URL).hostname}>"


def author_of(user: User) -> str:
    """How git names this person: "Name <mail>"; what git would trip over is left out. Who hides their address, or has
    none, gets one of this hub that no mail reaches."""
    name = "".join(letter for letter in user.display_name if letter.isprintable() and letter not in "<>").strip()
    nobody = f"{user.username}@users.noreply.{urlsplit(settings.COVEY_URL).hostname}"
    return f"{name or user.username} <{nobody if user.hides_email or not user.email else user.email}>"


def _require_owner(actor: Actor, owner: Owner) -> User:
    """The user. Raises Unauthenticated, or Denied when this actor may not make repositories for this owner."""
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


def _first_files(repository: Repository, user: User, start: Start) -> dict[str, bytes]:
    """What the first commit holds; nothing for an empty repository. Raises Unprocessable."""
    files: dict[str, bytes] = {}
    if start.readme:
        files["README.md"] = starting.readme(repository.name, repository.description)
    if start.gitignore:
        files[".gitignore"] = starting.gitignore(start.gitignore)
    if start.licence:
        files["LICENSE"] = starting.licence(start.licence, user.display_name)
    if start.dvc:
        files |= starting.dvc_files(f"{settings.COVEY_URL}/{repository.full_name}.dvc")
    return files


def _commit_first(path: Path, repository: Repository, actor: Actor, files: dict[str, bytes]) -> None:
    """Write the root commit and publish it, as every change of refs is."""
    if not files:
        return
    assert actor.user
    commit = creation.first_commit(path, files=files, author=author_of(actor.user), message="Initial commit")
    change = RefChange(f"refs/heads/{repository.default_branch}", ZERO, commit)
    publishing.publish(repository, actor, [change])
    repository.refresh_from_db(fields=["ref_generation", "pushed", "empty", "size_bytes"])


# ---- change --------------------------------------------------------------------------------------
def update(
    actor: Actor,
    repository: Repository,
    *,
    name: str | None = None,
    description: str | None = None,
    website: str | None = None,
    private: bool | None = None,
    default_branch: str | None = None,
    topics: Iterable[str] | None = None,
    merge_methods: str | None = None,
    delete_merged_branches: bool | None = None,
) -> Repository:
    """Change what is not None. Raises Unprocessable with nothing changed."""
    wanted = {
        "description": None if description is None else checked_description(description),
        "website": None if website is None else checked_website(website),
        "private": private,
        "default_branch": default_branch,
        "merge_methods": merge_methods,
        "delete_merged_branches": delete_merged_branches,
    }
    labels = None if topics is None else checked_topics(topics)
    with transaction.atomic():
        row = Repository.objects.select_for_update(of=("self",)).select_related("owner").get(pk=repository.pk)
        changes = {field: new for field, new in wanted.items() if new is not None and new != getattr(row, field)}
        if "default_branch" in changes:
            _point_head(row, str(default_branch))
        if changes.get("private") is False:
            _require_may_be_public(row)
            changes["kept_private"] = False
        before = {field: getattr(row, field) for field in changes if field in AUDITED}
        for field, new in changes.items():
            setattr(row, field, new)
        if changes:
            row.save(update_fields=[*changes, "updated"])
        if before:
            _record(actor, "repository.update", row, before=before, after={field: changes[field] for field in before})
        if name is not None:
            rename(actor, row, name)
        if labels is not None:
            _replace_topics(row, labels)
    row.granted = repository.granted
    return row


def _require_may_be_public(repository: Repository) -> None:
    """A fork of a private repository shows what is that repository's to show. Raises Unprocessable."""
    if not repository.kept_private:
        return
    parent = repository.parent
    if parent is None or parent.deleted is not None or parent.private:
        raise Unprocessable(
            "This is a fork of a private repository, and stays private.",
            details="Once that one is public, this may be; or push what may be seen to a repository of its own.",
        )


def keep_private(fork: Repository) -> None:
    """Before it gets what a private repository holds. Raises Unprocessable when it is public by now."""
    if not Repository.objects.filter(pk=fork.pk, private=True).update(kept_private=True):
        raise Unprocessable(
            f"{fork.full_name} is public, and what it is to get is private.", details="Make it private, then try again."
        )


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
    if not creation.is_branch_name(branch):
        raise Unprocessable("That is not a name git allows for a branch.")
    if not repository.empty and not creation.has_branch(storage.store().open_for_read(repository.pk), branch):
        raise Unprocessable(f"There is no branch {branch[:100]!r}.", details="Push it first, then make it the default.")
    storage.store().set_head(repository.pk, branch)


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
    audit.record(action, actor, subject=repository.full_name, of=repository, before=before, after=after)
