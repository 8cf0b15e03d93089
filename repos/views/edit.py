"""Create, edit, rename and delete files in the browser; each is one commit."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts.http import HubRequest
from hub.lib.failures import as_expected
from repos import access
from repos.access import Access, Area
from repos.drafts import Draft, draft_at
from repos.editing import ABSENT, Change, Delete, Put, Rename
from repos.views.places import rest_of

page = require_http_methods(["GET", "HEAD", "POST"])


class CommitForm(forms.Form):
    message = forms.CharField(max_length=2_000, required=False, label="Message", help_text="What changed, and why.")
    branch = forms.CharField(
        max_length=250, label="Branch", help_text="Another name makes a new branch that begins here."
    )
    expected = forms.RegexField(re.compile(r"[0-9a-f]{40}"), required=False, widget=forms.HiddenInput)


class FileForm(CommitForm):
    path = forms.CharField(max_length=4_000, strip=True, label="Path", help_text="Slashes make folders.")
    text = forms.CharField(
        required=False,
        strip=False,
        label="Content",
        widget=forms.Textarea(attrs={"rows": 24, "class": "editor", "spellcheck": "false", "wrap": "off"}),
    )
    field_order = ["path", "text", "message", "branch", "expected"]


def writable(request: HubRequest, owner: str, name: str) -> Draft:
    repository = access.repository_for(request.actor, owner, name, need=Access.WRITE, area=Area.REPO)
    return draft_at(repository, rest_of(request))


@login_required
@page
def new(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    draft = writable(request, owner, name)
    path = request.GET.get("path") or (f"{draft.path}/" if draft.path else "")
    form = FileForm(request.POST or None, initial={"path": path, "branch": draft.branch})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        change = Put(chosen["path"], _data(chosen["text"], ""), expected=ABSENT)
        if saved := _save(request, draft, form, change):
            return redirect(draft.blob_url(saved, chosen["path"]))
    return _show(request, "repos/edit.html", draft, form, {"heading": "New file"})


@login_required
@page
def edit(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    draft = writable(request, owner, name)
    entry = draft.file()
    text = draft.text(entry)
    seen = {"path": draft.path_shown, "text": text, "branch": draft.branch, "expected": entry.oid}
    form = FileForm(request.POST or None, initial=seen)
    if text is None:
        del form.fields["text"]
    if request.method == "POST" and form.is_valid():
        path = draft.path if form.cleaned_data["path"] == as_typed(draft.path_shown) else form.cleaned_data["path"]
        if text is None and path == draft.path:
            form.add_error("path", "Only the name of this file can be changed here: type another path.")
        elif saved := _save(request, draft, form, _change(draft, text, path, form.cleaned_data)):
            return redirect(draft.blob_url(saved, path))
    return _show(request, "repos/edit.html", draft, form, {"heading": f"Edit {draft.path_shown}", "file": entry})


@login_required
@page
def delete(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    draft = writable(request, owner, name)
    form = CommitForm(request.POST or None, initial={"branch": draft.branch, "expected": draft.file().oid})
    if request.method == "POST" and form.is_valid():
        change = Delete(draft.path, expected=form.cleaned_data["expected"] or "")
        if saved := _save(request, draft, form, change):
            return redirect(draft.tree_url(saved, draft.path.rpartition("/")[0]))
    return _show(request, "repos/delete.html", draft, form, {})


@login_required
@require_safe
def upload(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """The page; what it sends goes to repos.uploads."""
    draft = writable(request, owner, name)
    return _show(request, "repos/upload.html", draft, CommitForm(initial={"branch": draft.branch}), {})


def as_typed(path: str) -> str:
    """A path as a form brings it back: browsers leave line ends out of a field, the form the space around it."""
    return re.sub(r"[\r\n]", "", path).strip()


def _change(draft: Draft, text: str | None, path: str, chosen: dict[str, Any]) -> Change:
    """Without the id of what was seen nothing matches, so a form without it is a conflict and never an overwrite."""
    data = None if text is None else _data(chosen["text"], text)
    expected = chosen["expected"] or "nothing"
    if path == draft.path:
        return Put(path, data or b"", expected)
    return Rename(draft.path, path, data, expected)


def _data(text: str, before: str) -> bytes:
    """The bytes of a text area, with the line ends the file had: browsers always send CR LF."""
    text = text.replace("\r\n", "\n")
    if text == re.sub(r"\r\n?", "\n", before):
        return before.encode()  # whose line ends may be of several kinds
    return (text.replace("\n", "\r\n") if "\r\n" in before else text).encode("utf-8", "surrogatepass")


def _save(request: HubRequest, draft: Draft, form: forms.Form, change: Change) -> str:
    """The branch that has the change now; "" when it was refused: then the form says why and keeps the text."""
    chosen = form.cleaned_data
    try:
        draft.commit(request.actor, [change], branch=chosen["branch"], message=chosen["message"])
    except Exception as error:  # also a full disk's, in the words of git, of the system or of the database
        expected = as_expected(error)
        if expected is None:
            raise
        form.add_error(None, f"{expected.message} {expected.details}".strip())
        form.refused = expected.code  # type: ignore[attr-defined]  # _show reads it
        return ""
    return str(chosen["branch"])


def _show(request: HubRequest, template: str, draft: Draft, form: forms.Form, more: dict[str, Any]) -> HttpResponse:
    context = {"repository": draft.repository, "tab": "files", "draft": draft, "form": form, **more}
    status = getattr(form, "refused", 422) if form.errors else 200
    return render(request, template, context, status=status)
