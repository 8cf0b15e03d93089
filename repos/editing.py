"""Change files without a clone: commits made in a quarantine and published like a push.

No work tree exists, so there is nothing to climb out of and no link to follow. A writer says what they saw
(a blob id, a tip) and gets Conflict when somebody else was faster on the same file; changes of other files are kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.accounts.actor import Actor
from hub.lib.errors import Conflict, NotFound, Unauthenticated, Unprocessable
from repos import content, publishing, repositories
from repos.git import commands, history, writing
from repos.git.commands import GitError
from repos.git.store import ZERO, Quarantine, RefChange, refs
from repos.git.writing import FILE, BadPath, Parts, PathConflict, TreeFile
from repos.models import Repository
from repos.storage import store

ABSENT = "absent"  # an `expected` that says: I saw no file there
_FULL_ID = re.compile(r"[0-9a-f]{40}")
ATTEMPTS = 5
MAX_MESSAGE_CHARACTERS = 10_000


@dataclass(frozen=True)
class Put:
    """Create or replace a file. data: its bytes, or a file on disk that holds them.

    expected: the blob id the writer saw, ABSENT, or None for "whatever is there".
    """

    path: str
    data: bytes | Path
    expected: str | None = None


@dataclass(frozen=True)
class Delete:
    path: str
    expected: str | None = None


@dataclass(frozen=True)
class Rename:
    """Move a file to another path, which must be free; with data also change it. Its mode is kept."""

    path: str
    to: str
    data: bytes | None = None
    expected: str | None = None


Change = Put | Delete | Rename


def commit_changes(
    repository: Repository,
    actor: Actor,
    *,
    branch: str,
    changes: Sequence[Change],
    message: str = "",
    expected_tip: str | None = None,
    exact_tip: bool = False,
    start: str | None = None,
    author: str = "",
    when: int | None = None,
    via: str = "web",
) -> str:
    """Commit these changes on a branch; the id of its new tip, which is the old one when nothing changed.

    expected_tip: the commit the writer looked at: a file that changed since then is a Conflict; with exact_tip any
    other tip is. start: the commit a new branch begins at; an empty repository needs none. author: "Name <mail>",
    by default the actor. when: the time of the commit in seconds since 1970, by default now.
    The caller has asked the gate for WRITE; publishing asks again.
    Raises Unprocessable (bad path or message, a folder in the way), NotFound (no such branch or file), Conflict.
    """
    if actor.user is None:
        raise Unauthenticated()
    if not changes:
        raise Unprocessable("There is nothing to commit.", details="Name at least one file.")
    edit = _Edit(repository, branch, tuple(changes), expected_tip, exact_tip, start)
    edit.check()
    author = author or repositories.author_of(actor.user)
    message = (message.replace("\0", "").strip() or default_message(changes))[:MAX_MESSAGE_CHARACTERS]
    with store().quarantine(repository.pk) as quarantine:
        written = _written(quarantine, edit.changes)
        for attempt in range(1, ATTEMPTS + 1):
            tip, new = _commit(edit, quarantine, written, author=author, message=message, when=when)
            if tip == new:
                return new
            move = RefChange(f"refs/heads/{branch}", tip or ZERO, new)
            try:
                publishing.publish(repository, actor, [move], quarantine=quarantine, via=via)
            except Conflict:
                if exact_tip or attempt == ATTEMPTS:
                    raise
                continue  # another file was changed meanwhile: the same edit on the new tip
            return new
    raise AssertionError("unreachable")


def default_message(changes: Sequence[Change]) -> str:
    """What git people would write: "Update train.py", "Delete 3 files"."""
    first = changes[0]
    verb = {Put: "Update", Delete: "Delete", Rename: "Rename"}[type(first)]
    if isinstance(first, Put) and all(isinstance(change, Put) and change.expected == ABSENT for change in changes):
        verb = "Add"
    if len(changes) > 1:
        return f"{verb} {len(changes)} files"
    name = first.path.encode("utf-8", "replace").decode()
    return f"{verb} {name} to {first.to}" if isinstance(first, Rename) else f"{verb} {name}"


@dataclass(frozen=True)
class _Edit:
    """What was asked, apart from who asks."""

    repository: Repository
    branch: str
    changes: tuple[Change, ...]
    expected_tip: str | None
    exact_tip: bool
    start: str | None

    def check(self) -> None:
        """Raises Unprocessable on names that no file may have and on paths named twice."""
        touched = [path for change in self.changes for path in _paths(change)]
        for path in touched:
            _parts(path)
        if len(set(touched)) < len(touched):
            raise Unprocessable("The same path is named twice.", details="Name each file once.")
        if not all(_FULL_ID.fullmatch(commit) for commit in (self.expected_tip, self.start) if commit):
            raise Unprocessable("A commit is named by its full id here: 40 hexadecimal digits.")


def _paths(change: Change) -> list[str]:
    return [change.path, change.to] if isinstance(change, Rename) else [change.path]


def _parts(path: str) -> Parts:
    try:
        return writing.parts_of(path)
    except BadPath as error:
        raise Unprocessable(str(error), details="Choose another path for the file.") from error


def _written(quarantine: Quarantine, changes: Sequence[Change]) -> dict[str, str]:
    """path → id of the blob, for all content that arrives with the changes."""
    written = {}
    with writing.object_store(quarantine.objects) as objects:
        for change in changes:
            if isinstance(change, Put) and isinstance(change.data, Path):
                written[change.path] = _hash_file(quarantine, change.data)
            elif isinstance(change, Put | Rename) and isinstance(change.data, bytes):
                target = change.to if isinstance(change, Rename) else change.path
                written[target] = writing.add_blob(objects, change.data)
    return written


def _hash_file(quarantine: Quarantine, file: Path) -> str:
    """Write a file of any size as a blob: git streams it, dulwich would hold all of it in memory."""
    with file.open("rb") as opened:
        out = commands.run(
            quarantine.repository,
            *("hash-object", "-w", "--stdin", "--no-filters"),
            stdin=opened.fileno(),
            timeout_seconds=600,
            extra=quarantine.environment,
        )
    return out.decode().strip()


def _commit(
    edit: _Edit, quarantine: Quarantine, written: dict[str, str], *, author: str, message: str, when: int | None
) -> tuple[str | None, str]:
    """(the branch's tip now, the commit to publish); the same twice when there is nothing to change."""
    tip, base = _tip_and_base(edit, quarantine)
    with writing.object_store(quarantine.objects) as objects:
        try:
            root = writing.root_of(objects, base) if base else None
        except KeyError as error:
            raise NotFound(f"There is no commit {base} here.") from error
        seen = writing.root_of(objects, edit.expected_tip) if edit.expected_tip else None
        edits: dict[Parts, TreeFile | None] = {}
        for change in edit.changes:
            current = writing.file_at(objects, root, _parts(change.path))
            before = writing.file_at(objects, seen, _parts(change.path)) if seen else current
            _check_fresh(change, current, before)
            _add_edit(edits, change, current, written)
            if isinstance(change, Rename) and writing.file_at(objects, root, _parts(change.to)):
                raise Conflict(f"'{change.to}' exists already.", details="Choose another name.")
            if base and not isinstance(change, Delete):
                _check_untracked(edit.repository, base, _paths(change)[-1])
        try:
            tree = writing.updated_tree(objects, root, edits)
        except PathConflict as error:
            raise Unprocessable(str(error), details="Choose another path, or remove what is there.") from error
        if base and tree == root:
            return tip, base
        new = writing.add_commit(
            objects, tree=tree, parents=[base] if base else [], author=author, message=message, when=when
        )
        return tip, new


def _tip_and_base(edit: _Edit, quarantine: Quarantine) -> tuple[str | None, str | None]:
    """The branch's tip (None: to be made) and the commit to build on (None: the first of the repository)."""
    branches = refs(quarantine.repository, "refs/heads/")
    tip = branches.get(f"refs/heads/{edit.branch}")
    if edit.exact_tip and tip != edit.expected_tip:
        raise Conflict(f"The branch {edit.branch} moved in the meantime.", details="Read it again, then try again.")
    if tip is None and branches and edit.start is None:
        raise NotFound(f"There is no branch '{edit.branch}'.", details="Name one that exists, or make it first.")
    base = tip or edit.start
    if edit.expected_tip and not (base and _is_ancestor(quarantine, edit.expected_tip, base)):
        raise Conflict(f"The branch {edit.branch} was rewritten in the meantime.", details="Reload, then try again.")
    return tip, base


def _is_ancestor(quarantine: Quarantine, older: str, newer: str) -> bool:
    try:
        return history.contains(quarantine.repository, newer, older)
    except GitError:  # no commit of this repository
        return False


def _check_fresh(change: Change, current: TreeFile | None, before: TreeFile | None) -> None:
    """Raises Conflict when the file is not what the writer saw, NotFound when there is none to change."""
    if change.expected == ABSENT and current:
        raise Conflict(f"'{change.path}' exists already.", details="Open it and edit it, or choose another name.")
    if current is None and (change.expected not in {None, ABSENT} or before):
        raise Conflict(f"'{change.path}' was deleted in the meantime.", details="Copy your text, then start again.")
    if not isinstance(change, Put) and current is None:
        raise NotFound(f"There is no file '{change.path}' on this branch.")
    if change.expected is None:
        stale = current != before
    else:
        stale = current is not None and change.expected not in {ABSENT, current.oid}
    if stale:
        raise Conflict(
            f"'{change.path}' was changed by somebody else in the meantime.",
            details="Copy your text, reload the page to see the new version, and put your change into it.",
        )


def _add_edit(
    edits: dict[Parts, TreeFile | None], change: Change, current: TreeFile | None, written: dict[str, str]
) -> None:
    if not isinstance(change, Put):
        edits[_parts(change.path)] = None
    if isinstance(change, Delete):
        return
    target = _paths(change)[-1]
    keeps_mode = current is not None and current.mode in {FILE, writing.EXECUTABLE}
    mode = current.mode if current and keeps_mode else FILE  # a link that is written to becomes a file
    if target in written:
        edits[_parts(target)] = TreeFile(mode, written[target])
    elif current:
        edits[_parts(target)] = current


def _check_untracked(repository: Repository, commit: str, path: str) -> None:
    """Raises Unprocessable for a path that DVC tracks, or that lies inside an output: git and DVC would disagree."""
    names = path.split("/")
    for source in content.sources():
        for depth in range(1, len(names) + 1):
            entry = source.stat(repository, commit, "/".join(names[:depth]))
            if entry and entry.pointer and entry.versioning != "git":
                raise Unprocessable(
                    f"'{entry.path}' is tracked by {entry.versioning.upper()} ({entry.pointer}).",
                    details=f"Change it with {entry.versioning} and push, or choose another path.",
                )
