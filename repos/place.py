"""A place in a repository: a rev and a path at it, and the addresses of its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from django.http import HttpRequest

from hub.lib.errors import NotFound
from repos import filling, storage
from repos.git import read
from repos.git.read import Rev, shown, to_bytes, to_text
from repos.git.store import RepositoryMissing
from repos.models import Repository

MOST_ABOVE = 50  # folders above a path that are shown
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")  # nothing of it is ever quoted


def store_of(repository: Repository) -> Path:
    """The bare directory of a repository. Raises NotFound while it was never pushed to, Lost when its files are."""
    try:
        return storage.store().open_for_read(repository.pk)
    except RepositoryMissing as error:
        if repository.empty:
            raise NotFound("This repository has no commits yet.") from error
        raise


def resolve(repository: Repository, rev: str) -> Rev:
    """The rev of exactly this name. Raises NotFound, RefLost; Busy while a fork has yet to get its branches."""
    with _looked_up(repository):
        return read.resolve(store_of(repository), rev)


def split_rev(repository: Repository, rest: str) -> tuple[Rev, str]:
    """(rev, path) of "feature/x/a/b", as read.split_rev. Raises what resolve raises."""
    with _looked_up(repository):
        return read.split_rev(store_of(repository), rest)


@contextmanager
def _looked_up(repository: Repository) -> Iterator[None]:
    try:
        yield
    except NotFound:
        filling.require_filled(repository)  # what is not there yet is no typing error
        raise


def address_of(request: HttpRequest) -> str:
    """The path of the address with every byte kept: Django's own replaces what is not UTF-8."""
    scope = getattr(request, "scope", None)
    raw: bytes = scope.get("raw_path", b"") if scope else b""
    return to_text(unquote_to_bytes(raw.split(b"?", 1)[0]) or request.path_info.encode("utf-8", "replace"))


def quoted(text: str) -> str:
    """A path for a URL; bytes that are not UTF-8 survive the round trip."""
    if _PLAIN.fullmatch(text):  # a folder of a thousand entries asks a thousand times
        return text
    return quote(to_bytes(text), safe="/@:!$&'()*+,;=~")


def url(repository: Repository, page: str, *parts: str) -> str:
    return "/".join([f"/{repository.owner.name}/{repository.name}/{page}", *(quoted(part) for part in parts if part)])


def folders_above(path: str) -> list[tuple[str, str]]:
    """(name, path) of the folders that a path lies in, the outermost first; of very many only the last, and "…" for the
    one around them: each address holds all before it, and git has trees of ten thousands of levels."""
    parts = path.split("/")[:-1]
    first = max(0, len(parts) - MOST_ABOVE)
    found = [(parts[n], "/".join(parts[: n + 1])) for n in range(first, len(parts))]
    return [("…", "/".join(parts[:first])), *found] if first else found


@dataclass(frozen=True)
class Place:
    """path "" is the root. Text fields keep every byte (surrogateescape); the *_shown ones are printable."""

    repository: Repository
    rev: Rev
    path: str = ""

    @property
    def store(self) -> Path:
        return store_of(self.repository)

    @property
    def commit(self) -> str:
        return self.rev.commit

    @property
    def name_shown(self) -> str:
        return shown(self.path.rsplit("/", 1)[-1])

    @property
    def path_shown(self) -> str:
        return shown(self.path)

    @property
    def rev_shown(self) -> str:
        return self.rev.name[:10] if self.rev.kind == "commit" else shown(self.rev.name)

    def at(self, path: str) -> Place:
        return replace(self, path=path)

    def on(self, rev: Rev) -> Place:
        return replace(self, rev=rev)

    @property
    def parent(self) -> Place:
        return self.at(self.path.rpartition("/")[0])

    def page(self, name: str) -> str:
        return url(self.repository, name, self.rev.name, self.path)

    def pinned(self, name: str) -> str:
        """The same page at the commit's id: it never changes."""
        return url(self.repository, name, self.commit, self.path)

    @property
    def tree_url(self) -> str:
        return self.page("tree")

    @property
    def blob_url(self) -> str:
        return self.page("blob")

    @property
    def raw_url(self) -> str:
        return self.page("raw")

    @property
    def commits_url(self) -> str:
        return self.page("commits")

    @property
    def blame_url(self) -> str:
        return self.page("blame")

    @property
    def edit_url(self) -> str:
        return self.page("edit")

    @property
    def delete_url(self) -> str:
        return self.page("delete")

    @property
    def new_file_url(self) -> str:
        return self.page("new")

    @property
    def upload_url(self) -> str:
        return self.page("upload")

    @property
    def root_url(self) -> str:
        return self.at("").tree_url

    @property
    def find_url(self) -> str:
        return self.at("").page("find")

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """(name, address of its tree) of every folder above, without the last part."""
        return [(shown(name), self.at(folder).tree_url) for name, folder in folders_above(self.path)]
