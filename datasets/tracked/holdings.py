"""What a commit holds at given paths, by the hash that dvc.lock would record of it: md5 of a file in git, of a tracked
output, or of a folder's list of files. As a fresh clone after `dvc pull` would have it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from datasets.dvc import manifests
from datasets.tracked.contents import manifest_blob
from datasets.tracked.manifests import manifest_of
from datasets.tracked.tracking import Output, Tracked, tracked
from repos import cache
from repos.git import read
from repos.models import Repository
from repos.place import store_of

MAX_FILES = 20_000  # in folders of git, for all paths together
MAX_BLOB_BYTES = 256 * 1024**2
MAX_BYTES = 1024**3  # of git's files that are hashed at once
NOT_PUSHED, TOO_MUCH, LINKS = "its list of files was never pushed", "too much to hash", "it holds a link"
IGNORED = "a .dvcignore leaves files out of it"
IGNORE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Held:
    """kind: file, dir, data or datadir. identity: changes with the content. md5: as dvc.lock has it (".dir" after that
    of a folder), "" with the reason in unknown. legacy: what DVC 2 recorded, with line ends made those of Unix."""

    kind: str
    identity: str
    md5: str = ""
    legacy: str = ""
    unknown: str = ""


@dataclass
class _Folder:
    """A folder in git: its regular files, path below it → blob id."""

    files: dict[str, str] = field(default_factory=dict)
    unknown: str = ""


def holdings(repository: Repository, commit: str, paths: Collection[str]) -> dict[str, Held]:
    """By path; what is not there is left out. One pass over the commit's tree for all paths."""
    found = tracked(repository, commit)
    held: dict[str, Held] = {}
    in_git: set[str] = set()
    for path in paths:
        around = found.around(path)
        if around is None:
            in_git.add(path)
        elif one := _data(repository, *around):
            held[path] = one
    files, folders = _in_git(repository, commit, in_git)
    for path in in_git & found.folders:
        folders.setdefault(path, _Folder())
    wanted = [*files.values(), *(oid for f in folders.values() if not f.unknown for oid in f.files.values())]
    hashes = _hashes(repository, wanted)
    for path, oid in files.items():
        md5, legacy = hashes.get(oid, ("", ""))
        held[path] = Held("file", f"git:{oid}", md5, legacy, "" if md5 else TOO_MUCH)
    for path, folder in folders.items():
        held[path] = _folder(repository, path, folder, found, hashes)
    return held


# ---- data --------------------------------------------------------------------------------------
def _data(repository: Repository, output: Output, below: str) -> Held | None:
    """A tracked output, or something inside of one."""
    out = output.out
    if not below:
        kind = "datadir" if out.is_dir else "data"
        if out.files:
            md5 = _manifest_md5((file.path, file.oid) for file in out.files)
            return Held(kind, f"md5:{md5}", md5, md5)
        return Held(kind, f"md5:{out.oid}", out.oid, out.oid, "" if out.oid else "it has no md5")
    entries = _inside(repository, output, below)
    if entries is None:
        return Held("data", f"inside:{out.oid}", unknown=NOT_PUSHED)
    if "" in entries:
        return Held("data", f"md5:{entries['']}", entries[""], entries[""])
    if not entries:
        return None
    md5 = _manifest_md5(entries.items())
    return Held("datadir", f"md5:{md5}", md5, md5)


def _inside(repository: Repository, output: Output, below: str) -> dict[str, str] | None:
    """path below `below` → md5, "" for the file itself; None while nobody knows."""
    if output.out.files:
        listed = {file.path: file.oid for file in output.out.files}
        if below in listed:
            return {"": listed[below]}
        return _below(listed.items(), below)
    blob = manifest_blob(repository, output)
    manifest = manifest_of(blob) if blob else None
    if manifest is None:
        return None
    item = manifest.find(below) if below else None
    if item is not None and not item.is_dir:
        return {"": item.md5}
    return _below(manifest.files(), below)


def _below(listed: Iterable[tuple[str, str]], below: str) -> dict[str, str]:
    start = f"{below}/" if below else ""
    return {path[len(start) :]: md5 for path, md5 in listed if path.startswith(start)}


def _manifest_md5(entries: Iterable[tuple[str, str]]) -> str:
    return hashlib.md5(manifests.dumps(entries), usedforsecurity=False).hexdigest() + ".dir"


# ---- git ---------------------------------------------------------------------------------------
def _in_git(repository: Repository, commit: str, paths: Collection[str]) -> tuple[dict[str, str], dict[str, _Folder]]:
    """(files: path → blob id, folders) among these paths."""
    files: dict[str, str] = {}
    folders: dict[str, _Folder] = {}
    if not paths:
        return files, folders
    room = MAX_FILES
    ignores: dict[str, str] = {}
    for path, oid, plain in read.files(store_of(repository), commit):
        if path in paths:
            if plain:
                files[path] = oid
            continue
        if path.rpartition("/")[2] == ".dvcignore":
            ignores[path.rpartition("/")[0]] = oid
        folder = path.rpartition("/")[0]
        while folder:
            if folder in paths:
                known = folders.setdefault(folder, _Folder())
                room -= 1
                if not plain:
                    known.unknown = LINKS
                elif room < 0:
                    known.unknown = TOO_MUCH
                else:
                    known.files[path[len(folder) + 1 :]] = oid
            folder = folder.rpartition("/")[0]
    _ignore(store_of(repository), ignores, folders)
    return files, folders


def _ignore(store: Path, ignores: dict[str, str], folders: dict[str, _Folder]) -> None:
    """Folders that a .dvcignore (by folder → blob id) reaches are not compared: what it leaves out is DVC's to say."""
    for at, oid in ignores.items():
        start = f"{at}/" if at else ""
        reached = [
            folder
            for path, folder in folders.items()
            if f"{path}/".startswith(start) or at.startswith(f"{path}/") or at == path
        ]
        if not reached:
            continue
        lines = read.read_blob(store, oid, limit_bytes=IGNORE_BYTES).data.splitlines()
        if any(line.strip() and not line.startswith(b"#") for line in lines):
            for folder in reached:
                folder.unknown = folder.unknown or IGNORED


def _folder(
    repository: Repository, path: str, folder: _Folder, found: Tracked, hashes: dict[str, tuple[str, str]]
) -> Held:
    """A folder of git with the tracked outputs in it, as DVC finds it in a clone."""
    unknown = folder.unknown
    entries = {name: hashes[oid][0] for name, oid in folder.files.items() if oid in hashes}
    if len(entries) < len(folder.files):
        unknown = unknown or TOO_MUCH
    start = f"{path}/"
    for output in (output for at, output in found.outputs.items() if at.startswith(start)):
        name = output.path[len(start) :]
        below = {"": output.out.oid} if not output.is_dir else _inside(repository, output, "")
        if below is None or not all(below.values()):
            unknown = unknown or NOT_PUSHED
            continue
        entries |= {f"{name}/{rest}" if rest else name: md5 for rest, md5 in below.items()}
    known = repr((sorted(folder.files.items()), sorted(entries.items()), unknown))
    identity = hashlib.sha256(known.encode("utf-8", "surrogateescape")).hexdigest()
    md5 = "" if unknown else _manifest_md5(entries.items())
    return Held("dir", f"dir:{identity}", md5, md5, unknown)


def _hashes(repository: Repository, oids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """blob id → (md5, md5 with the line ends of Unix). Those beyond the limits are left out."""
    keys = {oid: cache.key_of(repository, "md5", oid) for oid in oids}
    known = cache.known_many(keys.values())
    found: dict[str, tuple[str, str]] = {oid: known[key] for oid, key in keys.items() if key in known}  # type: ignore[misc]
    for oid, pair in _hash_blobs(store_of(repository), [oid for oid in keys if oid not in found]):
        cache.keep(keys[oid], pair)
        found[oid] = pair
    return found


def _hash_blobs(store: Path, oids: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    sizes = read.blob_sizes(store, oids)
    few = read.within(sizes, oids, each_bytes=MAX_BLOB_BYTES, all_bytes=MAX_BYTES)
    for oid, pieces in read.each_blob(store, sizes, few):
        yield oid, _streamed(pieces) if sizes[oid] > read.BATCH_BYTES else _md5s(b"".join(pieces))


def _md5s(data: bytes) -> tuple[str, str]:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if b"\r\n" not in data:
        return md5, md5
    return md5, hashlib.md5(data.replace(b"\r\n", b"\n"), usedforsecurity=False).hexdigest()


def _streamed(pieces: Iterable[bytes]) -> tuple[str, str]:
    whole = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest(), whole.hexdigest()
