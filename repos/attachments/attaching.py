"""Take a file in: checked by what it holds, a row first, then its bytes, then the row says that they are here."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hub.accounts import audit
from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib import sandbox
from hub.lib.errors import Denied, NotFound, TooLarge, Unauthenticated, Unprocessable
from hub.lib.previews.kinds import IMAGE, SNIFF_BYTES, extension_of, kind_of
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.streams import in_thread, pieces_of
from repos import access
from repos.access import Access
from repos.attachments import strays
from repos.attachments.keeping import keeper
from repos.attachments.models import Attachment
from repos.content import Content
from repos.models import Repository
from repos.place import url

MAX_BYTES, MAX_FILES = 25 * 1024**2, 10  # of one file; at once
MAX_UNNAMED = 100  # of one person in one repository: what no text names yet
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f<>\[\]`\"\\\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True)
class Incoming:
    """A file that has arrived at a path, under the name that its sender gave it."""

    path: Path
    name: str
    size: int


def uploader(actor: Actor, repository: Repository) -> User:
    """Whoever may take part may attach. Raises Unauthenticated, Denied, Unprocessable when too many wait."""
    if actor.user is None:
        raise Unauthenticated("Sign in to attach files.")
    access.require_scope(actor, Area.ISSUES, write=True)
    waiting = Attachment.objects.filter(repository=repository, uploader=actor.user, named=False).order_by("created")
    rows = list(waiting[:MAX_UNNAMED])
    if len(rows) == MAX_UNNAMED and not strays.mark(repository.pk, rows):
        raise Unprocessable(
            f"{MAX_UNNAMED} of your files here are in no text yet.",
            details="Put them into texts, or wait: what no text names goes after a day.",
        )
    return actor.user


async def attach(repository: Repository, user: User, file: Incoming) -> Attachment:
    """Raises Unprocessable for an image that is none, TooLarge, and what the keeper raises."""
    row = await in_thread(_begun, repository, user, file)
    row.sha256 = await keeper().keep(repository, row.token, pieces_of(file.path), file.size)
    if not await in_thread(Attachment.objects.filter(pk=row.pk).update, sha256=row.sha256):
        raise NotFound()  # the repository went meanwhile
    return row


def _begun(repository: Repository, user: User, file: Incoming) -> Attachment:
    """The row is first, so that bytes whose upload was killed are found by it."""
    if file.size > MAX_BYTES:
        raise TooLarge(
            f"'{clean_name(file.name)}' has {file.size:,} bytes; an attachment has at most {MAX_BYTES:,}.",
            details="Push large files with git or DVC, and write their path.",
        )
    if not file.size:
        raise Unprocessable(f"'{clean_name(file.name)}' is empty.", details="Choose another file.")
    name = clean_name(file.name)
    width, height = _checked(file.path, name)
    return Attachment.objects.create(
        repository=repository,
        token=secrets.token_hex(16),
        name=name,
        size=file.size,
        width=width,
        height=height,
        uploader=user,
        created=timezone.now(),
    )


def _checked(path: Path, name: str) -> tuple[int | None, int | None]:
    """Width and height of an image. Raises Unprocessable when a name promises one and the bytes are none."""
    extension = extension_of(name)
    if extension not in IMAGE or extension == "svg":
        return None, None
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    if kind_of(name, head) != "image":
        raise Unprocessable(f"'{name}' is named like an image, but is none.", details="Attach it under another name.")
    try:
        made = sandbox.call("hub.lib.previews.thumbnails:thumbnail", files=[path], edge=16)
    except Unreadable as error:
        raise Unprocessable(f"'{name}': {error}", details="Attach an image that opens elsewhere.") from error
    except Overrun as error:
        raise Unprocessable(f"'{name}' takes too much time or memory to be read.") from error
    return int(made["of"][0]), int(made["of"][1])


def clean_name(name: str) -> str:
    """The last part of a path, printable, at most 100 characters with its extension."""
    name = " ".join(_UNUSABLE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).split()).strip(". ")
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 12:
        stem, extension = name, ""
    return f"{stem[:80] or 'file'}.{extension}" if extension else stem[:80] or "file"


# ---- what is here ---------------------------------------------------------------------------------
def attachment_of(repository: Repository, token: str) -> Attachment:
    """Raises NotFound, also for another repository's and for one whose bytes never came whole."""
    found = Attachment.objects.filter(repository=repository, token=token).exclude(sha256="").first()
    if found is None:
        raise NotFound("That attachment does not exist.", details="What no text names goes after a day.")
    return found


def removable(actor: Actor, repository: Repository) -> QuerySet[Attachment]:
    """What this actor may remove, the newest first: their own, and every one for whoever administers the repository."""
    rows = Attachment.objects.filter(repository=repository).exclude(sha256="").select_related("uploader")
    mine = rows if repository.granted >= Access.ADMIN else rows.filter(uploader=actor.user_id or 0)
    return mine.order_by("-pk")


def remove(actor: Actor, repository: Repository, token: str) -> None:
    """For good, whatever names it: texts say that it is gone. Safe to run again when it was cut off.

    Raises NotFound, Unauthenticated, Denied, and what the keeper raises.
    """
    if actor.user is None:
        raise Unauthenticated("Sign in to remove an attachment.")
    access.require_scope(actor, Area.ISSUES, write=True)
    row = attachment_of(repository, token)
    if row.uploader_id != actor.user.pk and repository.granted < Access.ADMIN:
        raise Denied("Only whoever attached a file, and administrators of the repository, remove it.")
    keeper().forget(repository.pk, [row.token])
    with transaction.atomic():
        if row.delete()[0] and row.uploader_id != actor.user.pk:
            audit.record(
                "attachment.remove",
                actor,
                subject=f"{row.name} of {repository.full_name}",
                of=repository,
                before={"uploader": row.uploader.username if row.uploader else "", "sha256": row.sha256},
            )


def gone(texts: Iterable[str]) -> frozenset[str]:
    """Tokens of attachments that these texts name and that are nowhere. No query where none is named."""
    named = {token for text in texts for token in strays.TOKEN.findall(text)}
    if not named:
        return frozenset()
    return frozenset(named - set(Attachment.objects.filter(token__in=named).values_list("token", flat=True)))


def opened(repository: Repository, token: str, name: str) -> Content:
    """Blocking. Raises NotFound."""
    row = attachment_of(repository, token)
    file = keeper().open(repository, row.token, row.name)
    if file is None:
        raise NotFound("The bytes of this attachment are not here any more.")
    return file


def address(repository: Repository, row: Attachment) -> str:
    return url(repository, "attachments", row.token, row.name)


def markdown(repository: Repository, row: Attachment) -> str:
    """What a text holds to show it: images as images, all else as a link."""
    sign = "!" if extension_of(row.name) in IMAGE else ""
    where = address(repository, row).replace("(", "%28").replace(")", "%29")
    return f"{sign}[{row.name}]({where})"
