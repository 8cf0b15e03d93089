"""/{owner}/{name}/attachments/…: files of texts, in and out. Raw ASGI: the form is read as a stream after the gate;
what goes out is sent as raw files are (repos.raw): nothing live on the hub's origin."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from hub.accounts.actor import Area
from hub.lib import temporary
from hub.lib.errors import OutOfSpace, Unprocessable, Upstream, says_disk_full
from hub.lib.objectstore import ObjectStoreError
from hub.lib.streams import in_thread
from repos import mediatypes, raw, uploads
from repos.access import Access
from repos.attachments import attaching
from repos.attachments.attaching import MAX_BYTES, MAX_FILES, Incoming
from repos.attachments.models import Attachment
from repos.place import url
from repos.surface import Call, route

logger = logging.getLogger("covey.attachments")
KIND = "attachment"
FORM_BYTES = 64 * 1024  # around the files


async def send(call: Call) -> None:
    await call.request.read(limit_bytes=1024)
    row = await in_thread(attaching.attachment_of, call.repository, call.match["token"])
    if await raw.sent_to_raw_host(call, row.token, row.name, kind=KIND):
        return
    file = await in_thread(attaching.opened, call.repository, row.token, row.name)
    form = await in_thread(mediatypes.form_of, row.name, file)
    await raw.send(call.request, file, form, cache=raw.cache_of(call.repository, pinned=True))


async def receive(call: Call) -> None:
    """A form's `files`: scripts get JSON, a form without scripts is led to the page that shows what to write."""
    rows = await _received(call)
    if "application/json" in call.request.headers.get("accept", ""):
        return await _respond(call, rows, 201)
    made = urlencode([("made", row.token) for row in rows])
    await call.request.respond(303, b"", [("location", f"{url(call.repository, 'attachments')}?{made}")])


async def receive_api(call: Call) -> None:
    """POST …/issues/attachments: the same for programs."""
    await _respond(call, await _received(call), 201)


async def _received(call: Call) -> list[Attachment]:
    """All of them, or an error."""
    user = await in_thread(attaching.uploader, call.actor, call.repository)
    folder = Path(await in_thread(temporary.new_folder, "attach-"))
    try:
        limit = MAX_FILES * MAX_BYTES + FORM_BYTES
        form = await uploads.read_form(call, folder, limit_bytes=limit, max_files=MAX_FILES)
        if not form.files:
            raise Unprocessable("No file was chosen.", details="Send each file as a part named `files`.")
        files = [Incoming(file.path, file.filename, file.size) for file in form.files]
        return [await attaching.attach(call.repository, user, file) for file in files]
    except ObjectStoreError as error:
        logger.error("%s", error)
        if says_disk_full(error):
            raise OutOfSpace() from error
        raise Upstream("The hub's object store did not take part.", details="Try again in a minute.") from error
    finally:
        await in_thread(shutil.rmtree, folder, ignore_errors=True)


async def _respond(call: Call, rows: list[Attachment], status: int) -> None:
    body = json.dumps({"attachments": [shape(call, row) for row in rows]}).encode()
    await call.request.respond(status, body, [("content-type", "application/json"), ("cache-control", "no-store")])


def shape(call: Call, row: Attachment) -> dict[str, Any]:
    return {
        "id": row.token,
        "name": row.name,
        "size": row.size,
        "width": row.width,
        "height": row.height,
        "url": f"{settings.COVEY_URL}{attaching.address(call.repository, row)}",
        "markdown": attaching.markdown(call.repository, row),
        "created_at": row.created.isoformat(),
    }


raw.OPENERS[KIND] = attaching.opened
surface = uploads.UploadSurface(
    "attachments",
    Area.ISSUES,
    [
        route("POST", r"upload", receive, Access.READ),
        route("GET HEAD", r"(?P<token>[0-9a-f]{32})(?:/[^/]*)?", send, Access.READ),
    ],
)
API_ROUTE = route("POST", r"issues/attachments", receive_api, Access.READ, area=Area.ISSUES)
