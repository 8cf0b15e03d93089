"""Files sent by a browser: POST /{owner}/{name}/upload/{branch}/{folder}. Raw ASGI: the form is read as a stream after
the gate, never spooled by Django, and becomes one commit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from django.conf import settings

from hub.accounts import authentication
from hub.accounts.actor import Area
from hub.lib import multipart, temporary
from hub.lib.errors import Denied, HubError, Unprocessable
from hub.lib.streams import Request, in_thread
from repos import editing
from repos.access import Access
from repos.drafts import Draft, draft_at
from repos.git import read
from repos.surface import BrowserSurface, Call, respond_error, route

MAX_FILES = 200


@dataclass
class Form:
    fields: dict[str, str] = field(default_factory=dict)
    files: list[multipart.File] = field(default_factory=list)


class UploadSurface(BrowserSurface):
    """A session whose form comes from our own page, or a token."""

    async def respond_error(self, request: Request, error: HubError) -> None:
        if "application/json" not in request.headers.get("accept", ""):
            return await respond_error(request, error)
        body = json.dumps({"error": error.message, "details": error.details}).encode()
        await request.respond(error.code, body, [("content-type", "application/json"), ("cache-control", "no-store")])


async def upload(call: Call) -> None:
    draft = await in_thread(draft_at, call.repository, read.to_text(unquote_to_bytes(call.rest)))
    folder = Path(await in_thread(temporary.new_folder, "upload-"))
    try:
        form = await read_form(call, folder, limit_bytes=settings.GIT_MAX_PUSH_BYTES, max_files=MAX_FILES)
        tip_url = await in_thread(_commit, call, draft, form)
    finally:
        await in_thread(_remove, folder)
    if "application/json" in call.request.headers.get("accept", ""):
        body = json.dumps({"url": tip_url}).encode()
        return await call.request.respond(200, body, [("content-type", "application/json")])
    await call.request.respond(303, b"", [("location", tip_url)])


surface = UploadSurface("upload", Area.REPO, [route("POST", r".+", upload, Access.WRITE)])


def _check_origin(request: Request) -> None:
    """Before a byte of the body is read. The token in the form is checked as soon as it has arrived."""
    scheme = "https" if settings.HTTPS else "http"
    ours = {*settings.CSRF_TRUSTED_ORIGINS, f"{scheme}://{request.headers.get('host', '')}"}
    if request.headers.get("origin") not in ours:
        raise Denied("This form was not sent from a page of this hub.", details="Open the upload page and try again.")


def _check_token(call: Call, token: str) -> None:
    headers = {**call.request.headers, "x-csrftoken": token or call.request.headers.get("x-csrftoken", "")}
    browser = authentication.browser_request("POST", headers, address=call.request.remote_address)
    if not authentication.csrf_holds(browser):
        raise Denied("This form has expired.", details="Reload the upload page and try again.")


async def read_form(call: Call, folder: Path, *, limit_bytes: int, max_files: int) -> Form:
    """The form of one of our own pages, or of a token. Raises Denied for one of another's page."""
    form, checked = Form(), not call.actor.session
    if call.actor.session:
        _check_origin(call.request)
    parts = multipart.parts(call.request, folder=folder, limit_bytes=limit_bytes, max_files=max_files)
    async for part in parts:
        if not checked and (isinstance(part, multipart.File) or part.name == "csrfmiddlewaretoken"):
            await in_thread(_check_token, call, part.value if isinstance(part, multipart.Field) else "")
            checked = True
        if isinstance(part, multipart.Field):
            form.fields[part.name] = part.value
        elif part.filename or part.size:  # a form without a chosen file sends one without a name
            form.files.append(part)
    if not checked:
        await in_thread(_check_token, call, "")
    return form


def _commit(call: Call, draft: Draft, form: Form) -> str:
    """Commit the files; the address of the folder they are in."""
    if not form.files:
        raise Unprocessable("No file was chosen.", details="Choose at least one file.")
    folder = form.fields.get("folder", draft.path).strip("/")
    changes = [editing.Put(f"{folder}/{file.filename}" if folder else file.filename, file.path) for file in form.files]
    branch = form.fields.get("branch", "").strip() or draft.branch
    draft.commit(call.actor, changes, branch=branch, message=form.fields.get("message", ""))
    return draft.tree_url(branch, folder)


def _remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
