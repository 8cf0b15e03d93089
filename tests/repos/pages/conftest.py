"""Real repositories for the pages, written by git fast-import: any byte, any size, fixed dates."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncClient, Client

from hub.accounts.models import User
from repos import storage
from repos.models import Repository

START = 1_700_000_000  # the first commit's time; each next is a minute later
Files = Mapping[str | bytes, str | bytes | tuple[str, str | bytes] | None]


@dataclass
class Writer:
    """commit() adds commits; ids come back as git gives them."""

    repository: Repository
    path: Path
    count: int = 0
    tips: dict[str, str] = field(default_factory=dict)

    def commit(
        self,
        files: Files,
        message: str | bytes = "A change",
        *,
        branch: str = "main",
        author: str | bytes = "Ada <ada@example.org>",
        merge: str = "",
        start: str = "",
    ) -> str:
        """files: path → content, None to delete, or (mode, content). start: the parent of a new branch."""
        self.count += 1
        who = _bytes(author) + b" %d +0000" % (START + 60 * self.count)
        parent = start or self.tips.get(branch, "")
        lines = [b"commit refs/heads/" + branch.encode(), b"mark :1", b"author " + who, b"committer " + who]
        lines.append(_data(message))
        if parent:
            lines.append(b"from " + parent.encode())
        if merge:
            lines.append(b"merge " + merge.encode())
        for name, content in files.items():
            lines += _change(_bytes(name), content)
        self.tips[branch] = self._import(b"\n".join(lines) + b"\nget-mark :1\n")
        return self.tips[branch]

    def git(self, *args: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *args],
            input=stdin,
            capture_output=True,
            check=True,
            timeout=120,
        )
        return done.stdout.decode().strip()

    def moved(self) -> None:
        """What a push does to the row."""
        self.repository.ref_generation += 1
        self.repository.empty = False
        self.repository.save(update_fields=["ref_generation", "empty"])

    def _import(self, stream: bytes) -> str:
        out = self.git("fast-import", "--quiet", "--force", stdin=stream)
        self.moved()
        return out


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _data(text: str | bytes) -> bytes:
    return b"data %d\n" % len(_bytes(text)) + _bytes(text)


def _change(name: bytes, content: str | bytes | tuple[str, str | bytes] | None) -> list[bytes]:
    quoted = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if content is None:
        return [b"D " + quoted]
    mode, content = content if isinstance(content, tuple) else ("100644", content)
    if mode == "160000":
        return [b"M 160000 " + _bytes(content) + b" " + quoted]
    return [b"M " + mode.encode() + b" inline " + quoted, _data(content)]


@pytest.fixture
def writer() -> Callable[[Repository], Writer]:
    def make(repository: Repository) -> Writer:
        store = storage.store()
        store.remove(repository.pk)  # ids start again with every test's rolled back database
        return Writer(repository, store.create(repository.pk))

    return make


@pytest.fixture
def project(private: Repository, writer: Callable[[Repository], Writer]) -> Writer:
    """alice/private with a few files on main."""
    made = writer(private)
    source = "import os\n\n\ndef f():\n    return 1\n"
    made.commit({"README.md": "# Private\n\nHello.\n", "src/model.py": source}, "First")
    made.commit({"src/deep/er/x.txt": "x\n", "data.csv": "a,b\n1,2\n"}, "Add data\n\nWith a body.")
    return made


class BytesClient(AsyncClient):
    """A client whose requests carry the undecoded path, as the server's do: names need not be UTF-8."""

    def generic(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        self._raw_path = path.split("?", 1)[0].encode("ascii")
        return super().generic(method, path, *args, **kwargs)

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        return {**super()._base_scope(**request), "raw_path": self._raw_path}


@pytest.fixture
def get_bytes() -> Callable[[User, str], HttpResponse]:
    def get(user: User, path: str) -> HttpResponse:
        client = BytesClient()
        client.force_login(user)
        return async_to_sync(client.get)(path)

    return get


@pytest.fixture
def as_user() -> Callable[[User | None], Client]:
    def make(user: User | None) -> Client:
        client = Client()
        if user:
            client.force_login(user)
        return client

    return make
