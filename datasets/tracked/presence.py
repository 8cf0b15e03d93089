"""How much of each tracked output was pushed: sizes and counts from the rows of this repository."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache

from datasets import objects
from datasets.dvc import keys
from datasets.models import Blob
from datasets.tracked.manifests import manifest_of
from datasets.tracked.tracking import Output
from repos.models import Repository

COUNT_LIMIT = 50_000  # distinct objects looked up for one page; 500 per query
KEEP_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Presence:
    """Of one output. size in bytes, files: None when nobody knows. present: how many files are here; None when there
    are too many to count now. here: the object (or manifest) that the pointer names was pushed."""

    output: Output
    here: bool
    size: int | None
    files: int | None
    present: int | None

    @property
    def whole(self) -> bool:
        """DVC pushes a manifest after its files; so one that is here and not counted is taken as whole."""
        return self.here and (self.present is None or self.present == self.files)

    @property
    def uncounted(self) -> bool:
        """The object is here, and nobody knows how many of its files are."""
        return self.here and self.present is None

    @property
    def elsewhere(self) -> bool:
        """DVC never gives this one to a remote of ours: its pointer has no md5."""
        return not self.output.out.oid and not self.output.out.files


def presence(repository: Repository, outputs: Sequence[Output]) -> list[Presence]:
    """A fixed number of queries for any number of outputs, plus one per 500 files inside of them."""
    here = objects.blobs(repository.pk, keys.BUCKET, (o.out.key for o in outputs if o.out.oid))
    manifests = {key: blob for key, blob in here.items() if keys.is_manifest(key)}
    counted = _count(repository.pk, manifests, legacy={o.out.key for o in outputs if o.out.legacy})
    listed = _listed(repository, outputs)
    return [_of(output, here, counted, listed) for output in outputs]


@dataclass(frozen=True)
class _Count:
    files: int
    present: int | None
    size: int | None


def _of(output: Output, here: dict[str, Blob], counted: dict[str, _Count], listed: dict[str, int]) -> Presence:
    out = output.out
    if out.files:
        found = [listed[key] for file in out.files if (key := keys.key_of(file.oid)) in listed and file.oid]
        return Presence(output, bool(found), out.size, len(out.files), len(found))
    blob = here.get(out.key) if out.oid else None
    if not out.is_dir:
        return Presence(output, blob is not None, blob.size if blob else out.size, 1, int(blob is not None))
    count = counted.get(out.key)
    if count is None:
        return Presence(output, blob is not None, out.size, out.nfiles, None if blob else 0)
    size = count.size if count.size is not None else out.size
    return Presence(output, True, size, count.files, count.present)


def _listed(repository: Repository, outputs: Sequence[Output]) -> dict[str, int]:
    """Sizes of the files that pointers list themselves."""
    wanted = (keys.key_of(file.oid) for o in outputs for file in o.out.files if file.oid)
    return objects.sizes(repository.pk, keys.BUCKET, wanted)


def forget(repository_id: int) -> None:
    """After objects were removed: what was whole is counted again."""
    cache.set(_forgotten(repository_id), f"-{secrets.token_hex(8)}", KEEP_SECONDS)


def _forgotten(repository_id: int) -> str:
    return f"dvc-forgotten:{repository_id}"


def lacked(repository_id: int, key: str, manifest: Blob, *, legacy: bool) -> int:
    """How many files of a manifest are not here; 0 when nobody knows: too many to count, or it cannot be read."""
    count = _count(repository_id, {key: manifest}, legacy={key} if legacy else set()).get(key)
    return 0 if count is None or count.present is None else count.files - count.present


def _count(repository_id: int, manifests: dict[str, Blob], *, legacy: set[str]) -> dict[str, _Count]:
    """Files and bytes of each manifest. What was whole once is kept until objects are removed."""
    start = f"dvc-whole:{repository_id}{cache.get(_forgotten(repository_id), '')}"
    names = {key: f"{start}:{blob.sha256}:{key in legacy}" for key, blob in manifests.items()}
    known = cache.get_many(list(names.values()))
    found: dict[str, _Count] = {key: known[name] for key, name in names.items() if name in known}
    open_: dict[str, dict[str, int]] = {}
    room = COUNT_LIMIT
    for key, blob in manifests.items():
        if key in found or (manifest := manifest_of(blob)) is None:
            continue
        files = manifest.count()
        if files > room:
            found[key] = _Count(files, None, None)
            continue
        room -= files
        open_[key] = {keys.key_of(md5, legacy=key in legacy): count for md5, count in manifest.md5s()}
    sizes = objects.sizes(repository_id, keys.BUCKET, (k for members in open_.values() for k in members))
    for key, members in open_.items():
        found[key] = _sum(members, sizes)
        if found[key].present == found[key].files:
            cache.set(names[key], found[key], KEEP_SECONDS)
    return found


def _sum(members: dict[str, int], sizes: dict[str, int]) -> _Count:
    files = sum(members.values())
    present = sum(count for key, count in members.items() if key in sizes)
    size = sum(count * sizes[key] for key, count in members.items() if key in sizes)
    return _Count(files, present, size if present == files else None)
