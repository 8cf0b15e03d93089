"""Where repositories live on disk: by id, never by name. The seam behind which packs may move to S3 later.

Callers ask open_for_read or open_for_write for a path and change refs by publish alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.lib.durable import fsync
from hub.lib.errors import Lost
from repos.git import commands
from repos.git.commands import GitError

ZERO = "0" * 40
_looked_at: set[Path] = set()
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"


class RepositoryMissing(Lost):
    """The row exists but its folder does not: a lost disk or an unfinished restore."""

    message = "The files of this repository are not on the hub's disk."


class RefMoved(Exception):
    """Somebody moved a ref first; nothing was changed."""


class ObjectsRefused(Exception):
    """git's own checks refused the new objects; nothing was stored."""


@dataclass(frozen=True)
class RefChange:
    """One ref: its full name, what it must be now and what it shall be. ZERO: absent."""

    ref: str
    old: str
    new: str


@dataclass(frozen=True)
class Quarantine:
    """New objects that nobody else sees yet. environment: lets git read the repository and write only here."""

    repository: Path
    objects: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "GIT_OBJECT_DIRECTORY": str(self.objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.repository / "objects"),
        }

    def new_objects(self) -> Iterator[tuple[str, int]]:
        """(id, size in bytes) of every object in here, without those of the repository."""
        alternates = self.objects / "info" / "alternates"
        aside = alternates.with_name("alternates.aside")
        if alternates.exists():
            alternates.rename(aside)
        try:
            for line in commands.records(
                self.repository,
                "cat-file",
                "--batch-all-objects",
                "--batch-check=%(objectname) %(objectsize)",
                "--unordered",
                separator=b"\n",
                timeout_seconds=300,
                extra={"GIT_OBJECT_DIRECTORY": str(self.objects)},
            ):
                name, size = line.decode().split()
                yield name, int(size)
        finally:
            if aside.exists():
                aside.rename(alternates)

    def keep_only(self, tip: str, without: str) -> None:
        """Forget what was only needed on the way to a commit: trees with conflict marks, commits that nobody keeps.

        without: a commit of the repository, whose history is there already.
        """
        listed = commands.records(
            self.repository,
            *("rev-list", "--objects", "--no-object-names", tip, f"^{without}"),
            separator=b"\n",
            timeout_seconds=300,
            extra=self.environment,
        )
        reached = {line.decode() for line in listed}
        for name in [name for name, _ in self.new_objects()]:
            if name not in reached:
                (self.objects / name[:2] / name[2:]).unlink(missing_ok=True)


def path_of(root: Path, repository_id: int) -> Path:
    """The bare directory of a repository: <root>/<two hex digits>/<id>.git."""
    return root / f"{repository_id % 256:02x}" / f"{repository_id}.git"


class RepoStore:
    """Bare repositories in a local folder."""

    def __init__(self, root: Path, first_look: Callable[[int, Path], bool] = lambda *_: True) -> None:
        """first_look: what to do when this process first opens a repository; done again until it says True."""
        self.root, self.first_look = root, first_look

    def open_for_read(self, repository_id: int) -> Path:
        """The bare directory, as new as the last acknowledged change. Raises RepositoryMissing."""
        path = path_of(self.root, repository_id)
        if not (path / "HEAD").exists():
            raise RepositoryMissing
        if path not in _looked_at and self.first_look(repository_id, path):
            _looked_at.add(path)
        return path

    def open_for_write(self, repository_id: int) -> Path:
        """The same, for a caller that will publish."""
        return self.open_for_read(repository_id)

    def create(self, repository_id: int, *, default_branch: str = "main") -> Path:
        """Make an empty bare repository; one that exists is left as it is."""
        path = path_of(self.root, repository_id)
        if (path / "HEAD").exists():
            return path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=path.parent))
        for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags"]:
            (fresh / folder).mkdir(parents=True)
        (fresh / "config").write_text(_CONFIG)
        (fresh / "HEAD").write_text(f"ref: refs/heads/{default_branch}\n")
        for name in ["config", "HEAD", "."]:
            fsync(fresh / name)
        try:
            os.rename(fresh, path)
        except OSError:  # another process made it at the same moment
            shutil.rmtree(fresh)
            self.open_for_read(repository_id)
        fsync(path.parent)
        return path

    def remove(self, repository_id: int) -> None:
        """Delete a repository's folder; absent is fine. It disappears at once, then its files go."""
        path = path_of(self.root, repository_id)
        gone = path.with_name(f"gone-{path.name}")
        shutil.rmtree(gone, ignore_errors=True)  # an earlier removal was killed
        if path.exists():
            os.rename(path, gone)
            shutil.rmtree(gone)

    def set_head(self, repository_id: int, branch: str) -> None:
        """Point HEAD at a branch, which need not exist yet."""
        path = self.open_for_write(repository_id)
        commands.run(path, "symbolic-ref", "HEAD", f"refs/heads/{branch}")

    @contextlib.contextmanager
    def quarantine(self, repository_id: int) -> Iterator[Quarantine]:
        """A place for new objects; what is not published by the end of the block is gone.

        dulwich and git both write here: quarantine.objects is an object directory whose alternate is the repository.
        """
        path = self.open_for_write(repository_id)
        folder = Path(tempfile.mkdtemp(prefix="tmp_objdir-", dir=path / "objects"))
        try:
            (folder / "pack").mkdir()
            (folder / "info").mkdir()
            (folder / "info" / "alternates").write_text(f"{path / 'objects'}\n")
            yield Quarantine(path, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(
        self,
        repository_id: int,
        quarantine: Quarantine | None,
        changes: Sequence[RefChange],
        *,
        unmoved: Mapping[str, str] | None = None,
    ) -> None:
        """Store the new objects and move the refs, all or none. unmoved: refs that must still be at these ids.

        Only repos.publishing calls this, after the policy said yes. Raises RefMoved or ObjectsRefused.
        """
        path = self.open_for_write(repository_id)
        current = refs(path, *[change.ref for change in changes])
        if any(current.get(change.ref, ZERO) != change.old for change in changes):
            raise RefMoved("a ref moved before the new objects were stored")
        if quarantine is not None:
            _store(path, quarantine)
        move_refs(path, changes, unmoved=unmoved)


def _store(path: Path, quarantine: Quarantine) -> None:
    """Bring new objects in as one pack, through the same checks as a push: format, names, links, fsync."""
    listed = "".join(f"{name}\n" for name, _ in quarantine.new_objects()).encode()
    if not listed:
        return
    pack = commands.pieces(
        path, "pack-objects", "--quiet", "--stdout", stdin=listed, timeout_seconds=600, extra=quarantine.environment
    )
    with tempfile.TemporaryFile(dir=quarantine.objects) as file:
        file.writelines(pack)
        file.seek(0)
        try:
            out = commands.run(
                path,
                "index-pack",
                "--stdin",
                "--strict",
                stdin=file.fileno(),
                timeout_seconds=600,
                extra=quarantine.environment,
            )
        except GitError as error:
            raise ObjectsRefused(error.stderr) from error
    made = f"pack-{out.decode().split()[-1]}"
    for suffix in [".rev", ".pack", ".idx"]:  # the index last: with it the pack is there for readers
        source = quarantine.objects / "pack" / f"{made}{suffix}"
        if source.exists():
            os.rename(source, path / "objects" / "pack" / source.name)
    fsync(path / "objects" / "pack")


def move_refs(path: Path, changes: Sequence[RefChange], *, unmoved: Mapping[str, str] | None = None) -> None:
    """Compare and swap refs in one transaction of git. Raises RefMoved with nothing changed."""
    lines = ["start", *(f"verify {ref}\0{oid}" for ref, oid in (unmoved or {}).items())]
    for change in changes:
        lines.append(f"update {change.ref}\0{change.new}\0{change.old}")
    script = "\0".join([*lines, "prepare", "commit", ""])
    try:
        commands.run(path, "update-ref", "--stdin", "-z", stdin=script.encode("utf-8", "surrogateescape"))
    except GitError as error:
        raise RefMoved(error.stderr) from error


def refs(path: Path, *patterns: str) -> dict[str, str]:
    """Full names and ids of refs, all or those under the patterns (e.g. refs/heads/)."""
    found = {}
    out = commands.run(path, "for-each-ref", "--format=%(objectname) %(refname)", "--", *patterns)
    for line in out.decode("utf-8", "surrogateescape").splitlines():
        name, _, ref = line.partition(" ")
        found[ref] = name
    return found


def size_on_disk(path: Path) -> int:
    """Bytes of all objects of a repository."""
    total = 0
    for folder, _, names in os.walk(path / "objects"):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a push ended, or maintenance replaced a pack
                total += os.stat(os.path.join(folder, name)).st_size
    return total
