"""Git over HTTP at /{owner}/{name}.git and without .git. Clone and fetch are here, push in receiving.py.

Native git does the work; the hub streams between it and the client with constant memory. Protocols 0, 1 and 2.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from django.conf import settings

from hub.accounts.actor import Area
from hub.lib import temporary
from hub.lib.errors import Denied, HubError, Invalid
from hub.lib.streams import Request, in_thread
from repos import filling, gitstreams, sharing
from repos.access import Access
from repos.git import pkt
from repos.git.transfer import Transfer
from repos.models import Repository
from repos.receiving import receive_pack
from repos.storage import store
from repos.surface import Call, Surface, route

SERVICES = {"git-upload-pack": Access.READ, "git-receive-pack": Access.WRITE}
RESULT = "application/x-git-upload-pack-result"
fetches = gitstreams.Slots(settings.GIT_FETCHES)
clones = sharing.Clones()
_capabilities: list[bytes] = []


def service_need(request: Request) -> Access:
    return SERVICES.get(request.query.get("service", ""), Access.READ)


async def info_refs(call: Call) -> None:
    """What the repository has: the first request of every clone, fetch and push."""
    service = call.request.query.get("service", "")
    if not service:
        raise Denied("This hub speaks git's smart HTTP protocol only.", details="Use git 1.6.6 or newer.")
    if service not in SERVICES:
        raise Invalid(f"There is no service {service[:40]!r}.", details="git asks for upload-pack or receive-pack.")
    await call.request.read(limit_bytes=1024)
    protocol = gitstreams.protocol_of(call.request)
    path = await in_thread(_advertised, call.repository, service)
    content_type = f"application/x-{service}-advertisement"
    if service == "git-upload-pack" and protocol == "version=2":
        headers = [("content-type", content_type), *gitstreams.NO_CACHE]
        return await call.request.respond(200, await capabilities(path), headers)
    # Protocol 2 leaves the service line out.
    first = b"" if protocol.startswith("version=2") else pkt.line(f"# service={service}\n".encode()) + pkt.FLUSH
    async with _advertising(service, protocol, path) as git, gitstreams.stopped_when_gone(call.request, git):
        await gitstreams.relay(call.request, gitstreams.output(git), content_type, first=first)


def _advertised(repository: Repository, service: str) -> Path:
    if service == "git-upload-pack":
        filling.require_filled(repository)  # a clone would be an empty one, without a word
    return store().open_for_read(repository.pk)


async def capabilities(path: Path) -> bytes:
    """Protocol 2's first answer: it tells of this server's git, the same for every repository, so git is asked once."""
    if not _capabilities:
        async with _advertising("git-upload-pack", "version=2", path) as git:
            found = b"".join([piece async for piece in gitstreams.output(git)])
            if await git.wait():
                raise HubError("git did not tell what it can do.", details="Run `covey doctor` on the server.")
            _capabilities.append(found)
    return _capabilities[0]


@contextlib.asynccontextmanager
async def _advertising(service: str, protocol: str, path: Path) -> AsyncIterator[Transfer]:
    """git at work on what the repository, or git itself, has to offer."""
    command = [service.removeprefix("git-"), "--stateless-rpc", "--http-backend-info-refs"]
    if service == "git-upload-pack":
        command.append("--strict")
    env = gitstreams.environment(protocol)
    async with fetches.take(), Transfer(*command, str(path), env=env, stdin=asyncio.subprocess.DEVNULL) as git:
        yield git


async def upload_pack(call: Call) -> None:
    """A clone or fetch: its small request is read and checked whole before a process starts."""
    gitstreams.require_type(call.request, "application/x-git-upload-pack-request")
    path = await in_thread(store().open_for_read, call.repository.pk)
    protocol = gitstreams.protocol_of(call.request)
    with temporary.new_file() as file:
        await gitstreams.spool(call.request, file)
        start = functools.partial(_packing, path, protocol, file)
        async with clones.join(sharing.key_of(call.repository.pk, protocol, file), start) as shared:
            if shared:
                await gitstreams.relay(call.request, shared.pieces(), RESULT)
                return
            async with start(None) as git, gitstreams.stopped_when_gone(call.request, git):
                await gitstreams.relay(call.request, gitstreams.output(git), RESULT)


async def large_files(call: Call) -> None:
    """Git LFS is not kept here. Its client shows the message of a JSON answer alone; of a 404 it says that the
    repository is missing, and 501 is how it knows that there are no locks."""
    said = "This hub does not keep Git LFS objects. Use DVC for large files: git lfs untrack, dvc add, dvc push."
    answer = json.dumps({"message": said, "request_id": call.request.request_id}).encode()
    await call.request.respond(501, answer, [("content-type", "application/vnd.git-lfs+json"), *gitstreams.NO_CACHE])


@contextlib.asynccontextmanager
async def _packing(path: Path, protocol: str, file: IO[bytes], output: int | None) -> AsyncIterator[Transfer]:
    """git at work on a request, in its turn. output: a descriptor to write to, instead of a pipe."""
    command = ["upload-pack", "--stateless-rpc", "--strict", str(path)]
    env = gitstreams.environment(protocol)
    with os.fdopen(os.dup(file.fileno()), "rb") as own:  # a client that leaves closes its own
        async with fetches.take(), Transfer(*command, env=env, stdin=own.fileno(), output=output) as git:
            yield git


surface = Surface(
    ".git",
    Area.REPO,
    [
        route("GET", "info/refs", info_refs, service_need),
        route("POST", "git-upload-pack", upload_pack, Access.READ),
        route("POST", "git-receive-pack", receive_pack, Access.WRITE),
        route("GET POST PUT", "info/lfs/.*", large_files, Access.READ),
    ],
)
