"""The first commit of a repository that nobody reads yet, and what may be a branch."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from dulwich.objects import Blob, Commit, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from hub.lib.durable import fsync
from repos.git import commands

TIMEOUT_SECONDS = 30


def is_branch_name(name: str) -> bool:
    """Whether git would make a branch of this name."""
    if not name or len(name) > 250 or "\0" in name or name.startswith("-") or name == "HEAD":
        return False
    checked = subprocess.run(
        ["git", "check-ref-format", f"refs/heads/{name}"],
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        env=commands.environment(),
        cwd="/",
    )
    return checked.returncode == 0


def has_branch(path: Path, branch: str) -> bool:
    with Repo(str(path)) as repository:
        return Ref(f"refs/heads/{branch}".encode()) in repository.refs


def first_commit(path: Path, *, files: dict[str, bytes], author: str, message: str) -> str:
    """Write a root commit holding these files (slashes make folders), durably; its id. No ref names it yet.

    author: "Name <mail>".
    """
    with Repo(str(path)) as repository:
        objects: list[Blob | Tree | Commit] = []
        tree = _tree(files, objects)
        commit = Commit()
        commit.tree = tree.id
        commit.author = commit.committer = author.encode()
        commit.author_time = commit.commit_time = int(time.time())
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = b"UTF-8"
        commit.message = message.encode() + b"\n"
        objects.append(commit)
        for item in objects:
            repository.object_store.add_object(item)
    sync(path)
    return commit.id.decode()


def sync(folder: Path) -> None:
    """Make everything below folder durable."""
    for place, _, files in os.walk(folder):
        for name in files:
            fsync(Path(place, name))
        fsync(Path(place))


def _tree(files: dict[str, bytes], objects: list[Blob | Tree | Commit]) -> Tree:
    """The tree of these files; every blob and subtree made on the way is appended to objects."""
    tree = Tree()
    folders: dict[str, dict[str, bytes]] = {}
    for path, body in files.items():
        head, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(head, {})[rest] = body
            continue
        blob = Blob.from_string(body)
        objects.append(blob)
        tree.add(head.encode(), 0o100644, blob.id)
    for name, below in folders.items():
        tree.add(name.encode(), 0o040000, _tree(below, objects).id)
    objects.append(tree)
    return tree
