"""The unmodified dvc in a folder, and a repository of a hub as it sees it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@dataclass
class Remote:
    """A repository of the hub as dvc sees it, with two people's tokens."""

    url: str
    token: str
    stranger: str

    def object(self, data: bytes, token: str | None = None, method: str = "GET", **options) -> httpx.Response:
        oid = md5(data)
        address = f"{self.url}.dvc/files/md5/{oid[:2]}/{oid[2:]}"
        return httpx.request(method, address, auth=("any", token or self.token), timeout=60, **options)


@dataclass
class Clone:
    """A folder with git and dvc in it."""

    folder: Path
    bin: Path

    def dvc(self, *arguments: str, check: bool = True, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        done = self.start(*arguments)
        try:
            out, _ = done.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            done.kill()
            raise
        found = subprocess.CompletedProcess(arguments, done.returncode, out)
        assert not check or found.returncode == 0, f"dvc {' '.join(arguments)}:\n{out}"
        return found

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        scratch = self.folder.parent / "scratch"
        environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": str(scratch / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(scratch / "system"),
            "DVC_SITE_CACHE_DIR": str(scratch / "site"),
        }
        return subprocess.Popen(
            [self.bin / "dvc", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def git(self, *arguments: str) -> None:
        who = ["-c", "user.name=Dana", "-c", "user.email=dana@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, timeout=120)

    def remote(self, remote: Remote, token: str, **options: str) -> None:
        self.dvc("remote", "add", "--default", "--force", "origin", f"{remote.url}.dvc")
        for key, value in {"auth": "basic", "user": "any", "password": token, **options}.items():
            self.dvc("remote", "modify", "--local", "origin", key, value)

    def write(self, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def forget(self, *paths: str) -> None:
        """Drop the cache and dvc's own memory of the remote, and these work files."""
        for path in (".dvc/cache", ".dvc/tmp", "../scratch/site", *paths):
            subprocess.run(["rm", "-rf", self.folder / path], check=True)
