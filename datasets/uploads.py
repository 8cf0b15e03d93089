"""PUT /api/v1/repos/{owner}/{name}/content/{branch}/{directory}: files in, one commit out, kept by git or by DVC.

Raw ASGI: the form is parsed as a stream after the gate, and its nested file names are kept.
"""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from datasets.storage import quotas
from datasets.tracked import adding, pointing
from datasets.tracked.adding import Base, Incoming, Places, Refused
from datasets.tracked.pointing import Plan
from hub.accounts.actor import Area
from hub.lib import multipart, temporary
from hub.lib.errors import Conflict, Invalid, NotFound, OutOfSpace, Unprocessable, Upstream, says_disk_full
from hub.lib.multipart import Field, File
from hub.lib.objectstore import ObjectStoreError, Stored
from hub.lib.stores import object_store
from hub.lib.streams import in_thread, pieces_of
from repos import access, editing, filling
from repos.git import writing
from repos.git.read import names_of, to_text
from repos.git.store import refs
from repos.git.writing import BadPath
from repos.models import Repository
from repos.place import store_of
from repos.surface import Call

logger = logging.getLogger("covey.uploads")
MAX_UPLOAD_BYTES, MAX_FILES = 64 * 1024**3, 500
ATTEMPTS = 5
VERSIONINGS = {"", "auto", "git", "dvc"}


@dataclass(frozen=True)
class Order:
    """What the form asks for. target: the branch to commit to. base: what it builds on; None: nothing is there yet."""

    target: str
    tip: str | None
    base: str | None
    directory: str
    fields: dict[str, str]

    @property
    def last_commit(self) -> str:
        return self.fields.get("last_commit", "")

    @property
    def message(self) -> str:
        return "\n\n".join(filter(None, [self.fields.get("commit_summary"), self.fields.get("commit_message")]))


async def upload(call: Call) -> None:
    """200 and the new tip as ETag, 204 when everything was there already."""
    folder = await in_thread(temporary.new_folder, "upload-")
    try:
        fields, files = await _received(call, folder)
        tip, changed = await _commit(call, fields, files)
    except ObjectStoreError as error:
        logger.error("%s", error)
        if says_disk_full(error):
            raise OutOfSpace() from error
        raise Upstream("server error", details="The object store did not answer. Try again.") from error
    finally:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)
    if not changed:
        return await call.request.respond_empty(204, [("etag", tip)])
    body = json.dumps({"commit": tip}).encode()
    await call.request.respond(200, body, [("content-type", "application/json"), ("etag", tip)])


async def _received(call: Call, folder: Path) -> tuple[dict[str, str], list[File]]:
    fields: dict[str, str] = {}
    files: list[File] = []
    form = multipart.parts(call.request, folder=folder, limit_bytes=MAX_UPLOAD_BYTES, max_files=MAX_FILES)
    async for part in form:
        if isinstance(part, Field):
            fields[part.name] = part.value
        else:
            files.append(part)
    if not files:
        raise Invalid("The form holds no file.", details="Send each file as a part named `files` with its path.")
    if fields.get("versioning", "") not in VERSIONINGS:
        raise Invalid("versioning must be auto, git or dvc.")
    return fields, files


async def _commit(call: Call, fields: dict[str, str], files: list[File]) -> tuple[str, bool]:
    """(the tip of the branch, whether this upload moved it). Starts again when somebody else was faster."""
    stored: dict[str, Stored] = {}
    for attempt in range(1, ATTEMPTS + 1):
        order = await in_thread(_order, call.repository, call.match["rest"], fields)
        try:
            return await _try(call, order, files, stored)
        except Conflict as error:
            if order.last_commit:
                raise _moved() from error
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


async def _try(call: Call, order: Order, files: list[File], stored: dict[str, Stored]) -> tuple[str, bool]:
    base = Base(call.repository, order.base)
    places = await in_thread(_places, base, order, files)
    await _store(call, places, stored)
    plan = Plan()
    await in_thread(pointing.plan_git, plan, base, places.git, may_replace=bool(order.last_commit))
    await in_thread(pointing.plan_alone, plan, base, places.alone, stored)
    for path, items in places.inside.items():
        await pointing.plan_inside(plan, base, path, [(rest, stored[item.path]) for rest, item in items])
    if plan.replaces and not order.last_commit:
        raise Refused(
            "missing last_commit",
            f"'{plan.replaces[0]}' exists with other content. Send the tip you saw as last_commit to replace it.",
        )
    if not plan.changes and order.tip:
        return order.tip, False
    await in_thread(pointing.plan_ignored, plan, base)
    return await in_thread(_write, call, order, plan)


def _write(call: Call, order: Order, plan: Plan) -> tuple[str, bool]:
    if not plan.changes:
        raise Invalid("There is nothing to commit.", details="These files are on the branch this one starts from.")
    new = editing.commit_changes(
        call.repository,
        call.actor,
        branch=order.target,
        changes=plan.changes,
        message=order.message,
        expected_tip=order.tip if order.last_commit else None,
        exact_tip=bool(order.last_commit),
        start=order.base,
        via="api",
    )
    return new, new != order.tip


async def _store(call: Call, places: Places, stored: dict[str, Stored]) -> None:
    """Bytes for DVC go to the object store, once also when the commit is tried again."""
    wanted = [item for item in places.for_dvc if item.path not in stored]
    if wanted:
        access.require_scope(call.actor, Area.DATA, write=True)
    await in_thread(quotas.require_room, call.repository, sum(item.size for item in wanted))
    for item in wanted:
        made = await object_store().put(pieces_of(item.file))
        await pointing.keep(call.repository, made, made.md5)
        stored[item.path] = made


# ---- what the request names ----------------------------------------------------------------------
def _order(repository: Repository, rest: str, fields: dict[str, str]) -> Order:
    """Raises NotFound for a branch that is not there, Refused when the tip is not last_commit, Busy while a fork has
    yet to get its branches."""
    filling.require_filled(repository)
    branches = {
        name.removeprefix("refs/heads/"): tip for name, tip in refs(store_of(repository), "refs/heads/").items()
    }
    named, directory = _split(rest, branches)
    target = named
    if fields.get("commit_choice") == "commit-to-new-branch":
        target = fields.get("new_branch_name", "").strip()
        if not target:
            raise Invalid("new_branch_name is missing.")
    if branches and named not in branches and target not in branches:
        raise NotFound(f"There is no branch {named!r}.", details="Name one that exists, or make it first.")
    tip = branches.get(target)
    base = tip or branches.get(named)
    last = fields.get("last_commit", "")
    if last and last != base:
        raise _moved()
    return Order(target, tip, base, directory, fields)


def _split(rest: str, branches: dict[str, str]) -> tuple[str, str]:
    """(branch, directory) of an undecoded path. The directory is one segment, its slashes escaped; where that does
    not name a branch, the longest branch that matches wins."""
    head, _, tail = rest.rpartition("/")
    exact = (_text(head), _text(tail).strip("/")) if head else (_text(rest), "")
    if exact[0] in branches:
        return exact
    parts = _text(rest).strip("/").split("/")
    for name in reversed(names_of(parts)):
        if name in branches:
            return name, "/".join(parts[name.count("/") + 1 :])
    return exact


def _text(raw: str) -> str:
    return to_text(unquote_to_bytes(raw))


def _places(base: Base, order: Order, files: list[File]) -> Places:
    """Raises Refused or Unprocessable for names no file may have."""
    incoming: dict[str, Incoming] = {}
    for file in files:
        path = f"{order.directory}/{file.filename}" if order.directory else file.filename
        try:
            writing.parts_of(path)
        except BadPath as error:
            raise Unprocessable("path conflict", details=str(error)) from error
        if path in incoming:
            raise Unprocessable("path conflict", details=f"'{path}' is sent twice.")
        incoming[path] = Incoming(path, file.path, file.size)
    versioning = order.fields.get("versioning", "")
    whole = order.fields.get("is_dvc_dir", "").lower() == "true"
    return adding.places(base, order.directory, list(incoming.values()), versioning=versioning, whole_directory=whole)


def _moved() -> Refused:
    return Refused("invalid last_commit", "The branch has moved on. Read its tip again, then upload again.")
