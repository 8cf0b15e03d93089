"""What DVC tracks at a commit: every output of every .dvc and dvc.lock in its tree. Cached by immutable ids."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from datasets.dvc import pointers, projects
from datasets.dvc.pointers import Malformed, Out
from datasets.dvc.projects import Folders
from hub.lib.errors import TooLarge
from repos import cache
from repos.git import commands, read
from repos.models import Repository
from repos.place import store_of

logger = logging.getLogger("covey.datasets")
VERSION = 2  # grows when the meaning of what is kept changes
MAX_POINTERS = 50_000
MAX_POINTER_BYTES = 10 * 1024 * 1024
ALL_POINTERS_BYTES = 128 * 1024 * 1024
MAX_PATH_CHARACTERS = 4096  # DVC writes to file systems, which take no longer ones


@dataclass(frozen=True, slots=True)
class Output:
    """One tracked path of a commit. out.path: from the root. pointer: the git path of the file that tracks it."""

    out: Out
    pointer: str

    @property
    def path(self) -> str:
        return self.out.path

    @property
    def is_dir(self) -> bool:
        return self.out.is_dir


@dataclass(frozen=True)
class Tracked:
    """outputs: by path. folders: directories that only lead to outputs and are not in git's tree.

    problems: pointer → why it could not be read.
    """

    outputs: dict[str, Output]
    folders: frozenset[str]
    problems: dict[str, str]

    def around(self, path: str) -> tuple[Output, str] | None:
        """The directory output that a path lies in, and the path below it ("" for the output itself)."""
        if len(path) > MAX_PATH_CHARACTERS:  # or each of its ten thousands of parents would be looked up
            return None
        parts = path.split("/")
        for count in range(len(parts), 0, -1):
            if output := self.outputs.get("/".join(parts[:count])):
                rest = "/".join(parts[count:])
                return (output, rest) if output.is_dir or not rest else None
        return None


def tracked(repository: Repository, commit: str) -> Tracked:
    """commit: a full id. Raises Busy or TooLarge when git cannot list the tree in time."""
    found = cache.by_ids(
        repository, "dvc-tracked", VERSION, commit, make=lambda: _read_or_too_large(repository, commit)
    )
    if isinstance(found, str):
        raise TooLarge(found, details="Clone the repository to work with it.")
    return found


@dataclass(frozen=True)
class _Tree:
    """Every path of a commit: pointers path → blob id; files and folders as sets."""

    pointers: dict[str, str]
    files: set[str]
    folders: set[str]


def _read_or_too_large(repository: Repository, commit: str) -> Tracked | str:
    """What is too large takes seconds to find out, at every page."""
    try:
        return _read(repository, commit)
    except TooLarge as error:
        return error.message


def _read(repository: Repository, commit: str) -> Tracked:
    store = store_of(repository)
    tree = _tree(store, commit)
    outputs: dict[str, Output] = {}
    problems: dict[str, str] = {}
    folders = folders_at(repository, [(commit, pointer) for pointer in tree.pointers])
    for pointer, parsed in _parsed(repository, store, tree.pointers):
        if isinstance(parsed, str):
            problems[pointer] = parsed
            continue
        for out in parsed:
            found = placed(out, pointer, folders.get((commit, pointer), {}))
            if found and found.path not in outputs and _is_free(found.path, tree):
                outputs[found.path] = Output(found, pointer)
    _drop_nested(outputs)
    return Tracked(dict(sorted(outputs.items())), frozenset(_lead(outputs, tree)), problems)


def placed(out: Out, pointer: str, folders: Folders) -> Out | None:
    """An output with its path from the root; None when it leads out of the repository. folders: of its stages."""
    return pointers.placed(projects.from_folder(out, out.stage, folders), pointer.rpartition("/")[0])


def folders_at(repository: Repository, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Folders]:
    """(revision, path of a dvc.lock) → where its stages run, as the dvc.yaml beside it says. Those of which it says
    nothing are left out, and so are other pointers."""
    locks = [(rev, path) for rev, path in wanted if path.endswith("dvc.lock") and "\n" not in path]
    if not locks:
        return {}
    store = store_of(repository)
    asked = b"".join(b"%s:%syaml\n" % (rev.encode(), read.to_bytes(path.removesuffix("lock"))) for rev, path in locks)
    answer = commands.run(store, "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
    answers = [line.split(b" ") for line in answer.splitlines()]
    oids = {pair: words[0].decode() for pair, words in zip(locks, answers, strict=True) if words[1:] == [b"blob"]}
    contents = contents_of(store, sorted(set(oids.values())))
    found = {oid: projects.folders_of(data) for oid, data in contents.items()}
    return {pair: found[oid] for pair, oid in oids.items() if found.get(oid)}


def outs_of_blobs(repository: Repository, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[Out, ...]]:
    """(pointer's path, blob id) → the outputs written there, as written. Those that cannot be read have none."""
    by_kind: dict[str, dict[str, str]] = {"dvc.lock": {}, "x.dvc": {}}
    pairs = list(wanted)
    for path, oid in pairs:
        by_kind["dvc.lock" if path.endswith("dvc.lock") else "x.dvc"][oid] = oid
    found: dict[tuple[bool, str], tuple[Out, ...]] = {}
    for kind, oids in by_kind.items():
        named = {f"{oid}/{kind}": oid for oid in oids}  # the kind is all that a name says about how it is read
        for name, parsed in _parsed(repository, store_of(repository), named):
            found[kind == "dvc.lock", named[name]] = () if isinstance(parsed, str) else parsed
    return {(path, oid): found[path.endswith("dvc.lock"), oid] for path, oid in pairs}


def _tree(store: Path, commit: str) -> _Tree:
    found: dict[str, str] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for path, oid, plain in read.files(store, commit):
        files.add(path)
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
        if plain and pointers.is_pointer(path) and len(found) < MAX_POINTERS:
            found[path] = oid
    return _Tree(found, files, folders)


def _parsed(repository: Repository, store: Path, wanted: dict[str, str]) -> Iterator[tuple[str, tuple[Out, ...] | str]]:
    """(pointer, its outputs or what is wrong with it). Parsed once per blob."""
    keys = {
        path: cache.key_of(repository, "dvc-pointer", oid, path.endswith("dvc.lock")) for path, oid in wanted.items()
    }
    known = cache.known_many(keys.values())
    unread = {oid for path, oid in wanted.items() if keys[path] not in known}
    blobs = contents_of(store, sorted(unread))
    for path, oid in wanted.items():
        value = known.get(keys[path])
        if value is None:
            value = _parse(path, blobs.get(oid))
            cache.keep(keys[path], value)
        yield path, value  # type: ignore[misc]  # what was kept under this key


def _parse(path: str, data: bytes | None) -> tuple[Out, ...] | str:
    if data is None:
        return "It is too large to be read."
    try:
        return pointers.outs_of(data, lock=path.endswith("dvc.lock"))
    except Malformed as error:
        return f"It cannot be read: {error}."


def contents_of(store: Path, oids: list[str]) -> dict[str, bytes]:
    """The contents of blobs; those beyond the limits are left out."""
    sizes = read.blob_sizes(store, oids)
    few = read.within(sizes, oids, each_bytes=MAX_POINTER_BYTES, all_bytes=ALL_POINTERS_BYTES)
    return {oid: b"".join(pieces) for oid, pieces in read.each_blob(store, sizes, few)}


def _is_free(path: str, tree: _Tree) -> bool:
    """What git itself holds (metrics with `cache: false`, or a hostile name) is git's."""
    if path in tree.files or path in tree.folders:
        return False
    parent = path.rpartition("/")[0]
    while parent:
        if parent in tree.files:
            return False
        parent = parent.rpartition("/")[0]
    return True


def _drop_nested(outputs: dict[str, Output]) -> None:
    """DVC refuses outputs inside outputs; so does the index, keeping the outer one."""
    for path in sorted(outputs):
        parent = path.rpartition("/")[0]
        while parent:
            if parent in outputs:
                del outputs[path]
                break
            parent = parent.rpartition("/")[0]


def _lead(outputs: dict[str, Output], tree: _Tree) -> Iterator[str]:
    for path in outputs:
        folder = path.rpartition("/")[0]
        while folder and folder not in tree.folders:
            yield folder
            folder = folder.rpartition("/")[0]
