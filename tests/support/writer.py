"""Real repositories written by git fast-import: any byte, any size, fixed dates."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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

    def bomb(self, branch: str, parent: str = "") -> str:
        """A commit whose ten trees name each other: ten thousand million files."""
        kind, mode, oid = "blob", "100644", self.git("hash-object", "-w", "--stdin", stdin=b"x")
        for _ in range(10):
            lines = "".join(f"{mode} {kind} {oid}\tf{n}\n" for n in range(10))
            kind, mode, oid = "tree", "040000", self.git("mktree", stdin=lines.encode())
        self.tips[branch] = self.git("commit-tree", "-m", "Boom", oid, *(("-p", parent) if parent else ()))
        self.git("update-ref", f"refs/heads/{branch}", self.tips[branch])
        self.moved()
        return self.tips[branch]

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
