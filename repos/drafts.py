"""Where an edit begins: a branch (which an empty repository does not have yet), its tip, and a path on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.accounts.actor import Actor
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos import editing, filling
from repos.editing import Change
from repos.git import read
from repos.git.read import TreeEntry
from repos.git.store import refs
from repos.models import Repository
from repos.place import url

MAX_TEXT_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Draft:
    """tip: the commit the writer looks at; None in an empty repository. path "" is the root."""

    repository: Repository
    branch: str
    tip: str | None
    path: str

    @property
    def path_shown(self) -> str:
        return read.shown(self.path)

    def entry(self) -> TreeEntry | None:
        return read.find_entry(self.repository.path, self.tip, self.path) if self.tip else None

    def file(self) -> TreeEntry:
        """The file at the path. Raises NotFound."""
        found = self.entry()
        if found is None or found.kind not in {"file", "link"}:
            raise NotFound(f"There is no file '{self.path_shown}' on {self.branch}.")
        return found

    def text(self, entry: TreeEntry) -> str | None:
        """The file's text; None when it is binary, too large or a link: then it can only be moved or replaced."""
        if entry.kind == "link":
            return None
        blob = read.read_blob(self.repository.path, entry.oid, limit_bytes=MAX_TEXT_BYTES)
        if not blob.complete or b"\0" in blob.data:
            return None
        try:
            return blob.data.decode()
        except UnicodeDecodeError:
            return None

    def commit(self, actor: Actor, changes: Sequence[Change], *, branch: str, message: str) -> str:
        """Commit on this branch, or on a new one that begins here; the new tip. Raises what commit_changes raises."""
        start = None
        if branch != self.branch:
            start = self.tip
            if f"refs/heads/{branch}" in refs(self.repository.path, "refs/heads/"):
                raise Conflict(f"The branch {branch} exists already.", details="Choose another name.")
        return editing.commit_changes(
            self.repository, actor, branch=branch, changes=changes, message=message, start=start
        )

    @property
    def file_url(self) -> str:
        return self.blob_url(self.branch, self.path)

    @property
    def upload_url(self) -> str:
        return url(self.repository, "upload", self.branch, self.path.rpartition("/")[0])

    def blob_url(self, branch: str, path: str) -> str:
        return url(self.repository, "blob", branch, path)

    def tree_url(self, branch: str, folder: str) -> str:
        """The nearest folder that still exists."""
        tip = read.resolve(self.repository.path, f"refs/heads/{branch}").commit
        while folder and read.find_entry(self.repository.path, tip, folder) is None:
            folder = folder.rpartition("/")[0]
        return url(self.repository, "tree", branch, folder)


def draft_at(repository: Repository, rest: str) -> Draft:
    """The draft that an address names after its verb: branch/path. Raises NotFound, and Unprocessable for a tag or a
    commit, which cannot change; Busy while a fork has yet to get its branches: it would begin another history."""
    filling.require_filled(repository)
    if not refs(repository.path, "refs/heads/"):
        branch = repository.default_branch
        inside = rest == branch or rest.startswith(f"{branch}/")
        return Draft(repository, branch, None, rest.removeprefix(branch).strip("/") if inside else "")
    rev, path = read.split_rev(repository.path, rest)
    if rev.kind != "branch":
        raise Unprocessable(f"{rev.name} is a {rev.kind} and cannot change.", details="Open the file on a branch.")
    return Draft(repository, rev.name.removeprefix("refs/heads/"), rev.commit, path)
