"""Raw files: /{owner}/{name}/raw/{rev}/{path}. Raw ASGI: ranges, entity tags, nothing live on the hub's origin.

With RAW_HOST set, browsers are sent to a short-lived signed link on that host, which has no cookies; there a file may
be shown as what it is. Access is asked again when the link is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core import signing

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib.errors import HubError, NotFound, Unprocessable
from hub.lib.middleware import raw_origin
from hub.lib.ranges import named
from hub.lib.streams import ClientGone, Request, in_thread
from repos import access, files, mediatypes
from repos.access import Access
from repos.content import Content
from repos.git import read
from repos.mediatypes import Form
from repos.models import Repository
from repos.place import quoted, split_rev
from repos.surface import BrowserSurface, Call, respond_error, route

LINK_SECONDS = 3600  # long enough to watch a video; access is asked at every use anyway
_SALT = "covey.raw.2"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_LINK = re.compile(r"/-/([A-Za-z0-9_:.-]{20,2000})/[^/]*")


async def raw(call: Call) -> None:
    await call.request.read(limit_bytes=1024)
    commit, pinned, path = await in_thread(_locate, call.repository, call.rest)
    if await sent_to_raw_host(call, commit, path):
        return
    file = await in_thread(files.open_file, call.repository, commit, path)
    if file.entry.versioning != "git":
        access.require_scope(call.actor, Area.DATA, write=False)
    form = await in_thread(mediatypes.form_of, path, file)
    await send(call.request, file, form, cache=cache_of(call.repository, pinned=pinned))


async def sent_to_raw_host(call: Call, where: str, path: str, *, kind: str = "") -> bool:
    """Whether a browser was sent on to RAW_HOST, for a file of a kind of OPENERS."""
    if not settings.RAW_HOST or call.request.headers.get("authorization"):
        return False
    location = link(call.repository, call.actor, where, path, kind=kind)
    await call.request.respond(302, b"", [("location", location), ("cache-control", "no-store")])
    return True


def _locate(repository: Repository, rest: str) -> tuple[str, bool, str]:
    """(commit, whether the address names it by its full id, path). Raises NotFound."""
    rev, path = split_rev(repository, read.to_text(unquote_to_bytes(rest)))
    return rev.commit, rev.name == rev.commit, path


def cache_of(repository: Repository, *, pinned: bool) -> str:
    """What is private is asked for again each time, so that access taken away is gone at once."""
    return "private, max-age=31536000, immutable" if pinned and not repository.private else "private, no-cache"


surface = BrowserSurface("raw", Area.REPO, [route("GET HEAD", r".+", raw, Access.READ)])


# ---- the host of raw files ---------------------------------------------------------------------
# kind → what opens a file of it, by the repository, where it is ("" is the kind of a commit's files) and its path.
OPENERS: dict[str, Callable[[Repository, str, str], Content]] = {"": files.open_file}


def link(repository: Repository, actor: Actor, where: str, path: str, *, kind: str = "") -> str:
    """A signed address on RAW_HOST for one file at one commit, for one person."""
    token = signing.dumps([repository.pk, actor.user_id, kind, where, path], salt=_SALT, compress=True)
    return f"{raw_origin()}/-/{token}/{quoted(path.rsplit('/', 1)[-1])}"


async def raw_host(request: Request) -> None:
    """Everything that RAW_HOST answers: signed links, and nothing else."""
    try:
        if request.method not in {"GET", "HEAD"}:
            raise NotFound()
        await request.read(limit_bytes=1024)
        repository, kind, where, path = await in_thread(_follow, request.path, request.remote_address)
        file = await in_thread(OPENERS[kind], repository, where, path)
        form = await in_thread(mediatypes.form_of, path, file, own_host=True)
        await send(request, file, form, cache="private, no-cache", policy="cross-origin")
    except ClientGone:
        return
    except HubError as error:
        await respond_error(request, error)
    finally:
        request.close()


def _follow(path: str, address: str) -> tuple[Repository, str, str, str]:
    """What a link names (repository, kind, where, path), when it holds still and its person may still read it. Raises
    NotFound."""
    match = _LINK.fullmatch(path)
    try:
        repository_id, user_id, kind, where, file = signing.loads(
            match[1] if match else "", salt=_SALT, max_age=LINK_SECONDS
        )
    except signing.BadSignature as error:
        raise NotFound("This link has expired.", details="Open the file again from its page.") from error
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    repository = Repository.objects.select_related("owner").filter(pk=repository_id).first()
    if repository is None or (user_id and user is None):
        raise NotFound()
    access.check(Actor(user=user, session=True, address=address), repository, need=Access.READ, area=Area.REPO)
    return repository, kind, where, file


# ---- the answer --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Part:
    """start (inclusive) and end (exclusive) of what is sent. partial: answer 206."""

    start: int
    end: int
    partial: bool


async def send(request: Request, file: Content, form: Form, *, cache: str, policy: str = "same-origin") -> None:
    """Answer a GET or HEAD with a file, part of it, or 304. Raises ClientGone, RangeNotSatisfiable."""
    tag = f'"{file.entry.oid}"'
    headers = [
        *form.headers,
        ("etag", tag),
        ("cache-control", cache),
        ("vary", "cookie, authorization"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", policy),
        ("referrer-policy", "no-referrer"),
        ("accept-ranges", "bytes"),
    ]
    if named(tag, request.headers.get("if-none-match", "")):
        return await request.respond(304, b"", headers)
    part = wanted_part(request.headers, file.size, tag)
    headers.append(("content-length", str(part.end - part.start)))
    if part.partial:
        headers.append(("content-range", f"bytes {part.start}-{part.end - 1}/{file.size}"))
    if request.method == "HEAD":
        await request.start(206 if part.partial else 200, headers)
        return await request.finish()
    async with aclosing(file.read(part.start, part.end)) as pieces:  # type: ignore[type-var]  # every reader is a generator
        first = await anext(pieces, b"")  # a failing store still gets an honest status
        await request.start(206 if part.partial else 200, headers)
        await request.write(first)
        async for piece in pieces:
            await request.write(piece)
    await request.finish()


class RangeNotSatisfiable(Unprocessable):
    code = 416


def wanted_part(headers: dict[str, str], size: int, tag: str) -> Part:
    """One range of bytes; the whole for none, several, or one of another version. Raises RangeNotSatisfiable."""
    whole = Part(0, size, False)
    match = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if not match or match[0] == "bytes=-" or headers.get("if-range", tag) != tag:
        return whole
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return whole
    else:
        start, end = max(0, size - int(last)), size
    if start >= size or start >= end:
        raise RangeNotSatisfiable("The file ends before that.", headers={"Content-Range": f"bytes */{size}"})
    return Part(start, end, True)
