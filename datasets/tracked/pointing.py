"""Write pointer files: what `dvc add` would have written for bytes the hub has already."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from datasets import objects
from datasets.dvc import documents, keys, manifests, pointers
from datasets.dvc.documents import Malformed
from datasets.dvc.manifests import BadManifest
from datasets.storage import removal
from datasets.tracked.adding import Base, Incoming, Places, Refused, blob_id
from datasets.tracked.contents import manifest_blob
from datasets.tracked.tracking import Output
from hub.lib.objectstore import Stored
from hub.lib.stores import object_store
from hub.lib.streams import in_thread
from repos.editing import ABSENT, Change, Put
from repos.git.read import typed
from repos.models import Repository

POINTER_BYTES, GITIGNORE_BYTES = 10 * 1024 * 1024, 1024 * 1024
_SPECIAL = re.compile(r"([\\*?\[\]!#])")


@dataclass
class Plan:
    """changes: of the commit. replaces: paths whose present bytes would be lost, which needs last_commit."""

    changes: list[Change] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    ignored: dict[str, list[str]] = field(default_factory=dict)


async def keep(repository: Repository, stored: Stored, oid: str) -> None:
    """Let the repository name these bytes as DVC does. Raises OverQuota with the bytes removed."""
    async with removal.dropped_over_quota(stored):
        await objects.publish_together(objects.Naming(repository.pk, keys.BUCKET, keys.key_of(oid), stored))


def plan_git(plan: Plan, base: Base, items: list[Incoming], *, may_replace: bool) -> None:
    for item in items:
        entry = base.entry(item.path)
        if entry is not None:
            if entry.oid == blob_id(item.file, item.size):
                continue
            plan.replaces.append(item.path)
        plan.changes.append(Put(item.path, item.file, expected=None if may_replace else ABSENT))


def plan_alone(plan: Plan, base: Base, items: list[Incoming], stored: dict[str, Stored]) -> None:
    """A pointer beside each file: name.dvc."""
    for item in items:
        bytes_ = stored[item.path]
        output = _output(base, item.path)
        if output is not None:
            if output.out.oid == bytes_.md5:
                continue
            plan.replaces.append(item.path)
        _point(plan, base, item.path, output, {"md5": bytes_.md5, "size": bytes_.size, "hash": "md5"})


async def plan_inside(plan: Plan, base: Base, path: str, gained: list[tuple[str, Stored]]) -> Stored | None:
    """Grow the directory output at path; its new manifest, which is in the store, or None when nothing is new."""
    output = await in_thread(_output, base, path)
    known, size = await _known(base, output)
    replaced: list[str] = []
    fresh = {name: bytes_ for name, bytes_ in gained if known.get(name) != bytes_.md5}
    for name, bytes_ in fresh.items():
        if name in known:
            replaced.append(name)
        if any(other.startswith(f"{name}/") for other in known):
            raise Refused("path conflict", f"'{path}/{name}' is a folder.")
        known[name] = bytes_.md5
    if output is not None and not fresh:
        return None
    plan.replaces += [f"{path}/{name}" for name in replaced]
    body = manifests.dumps(known.items())
    made = await object_store().put(_once(body))
    await keep(base.repository, made, f"{made.md5}.dir")
    total = size + sum(bytes_.size for bytes_ in fresh.values())
    if replaced:
        total = await in_thread(_total, base.repository, known)
    entry = {"md5": f"{made.md5}.dir", "size": total, "nfiles": len(known), "hash": "md5"}
    await in_thread(_point, plan, base, path, output, entry)
    return made


def plan_ignored(plan: Plan, base: Base) -> None:
    """Tell git not to see the new outputs, as `dvc add` does: a .gitignore in each of their folders."""
    for folder, names in plan.ignored.items():
        path = f"{folder}/.gitignore" if folder else ".gitignore"
        entry = base.entry(path)
        text = base.blob(entry.oid, limit_bytes=GITIGNORE_BYTES).decode("utf-8", "surrogateescape") if entry else ""
        lines = text.splitlines()
        wanted = [line for name in names if (line := "/" + _SPECIAL.sub(r"\\\1", name)) not in lines]
        if wanted and (entry is None or entry.size is None or len(text) < GITIGNORE_BYTES):
            body = "".join(f"{line}\n" for line in [*lines, *wanted]).encode("utf-8", "surrogateescape")
            plan.changes.append(Put(path, body, expected=entry.oid if entry else ABSENT))


def _output(base: Base, path: str) -> Output | None:
    """The output at exactly this path. Raises Refused when an upload cannot change it."""
    around = base.around(path)
    output = around[0] if around and not around[1] else None
    if output is None:
        return None
    if output.out.stage or output.pointer.endswith("dvc.lock"):
        raise Refused(
            "edit pipeline unsupported", f"'{path}' is made by a stage of a pipeline; run `dvc repro` and push."
        )
    if output.out.legacy or output.out.files:
        raise Refused(
            "versioning conflict", f"'{path}' was added by an older DVC; change it with `dvc add` and `dvc push`."
        )
    return output


async def _known(base: Base, output: Output | None) -> tuple[dict[str, str], int]:
    """(relpath → md5, size in bytes) of a directory output as it is."""
    if output is None:
        return {}, 0
    blob = await in_thread(manifest_blob, base.repository, output)
    if blob is None:
        raise Refused(
            "path conflict",
            f"The list of files of '{output.path}' was never pushed here; "
            f"run `dvc push {typed(output.pointer)}` first.",
        )
    try:
        found = {path: md5 async for path, md5 in manifests.entries(object_store().get(blob.key))}
    except BadManifest as error:
        raise Refused("path conflict", f"The list of files of '{output.path}' cannot be read: {error}.") from error
    return found, output.out.size or 0


def _total(repository: Repository, known: dict[str, str]) -> int:
    wanted = {md5: keys.key_of(md5) for md5 in known.values()}
    sizes = objects.sizes(repository.pk, keys.BUCKET, wanted.values())
    return sum(sizes.get(wanted[md5], 0) for md5 in known.values())


def _point(plan: Plan, base: Base, path: str, output: Output | None, values: dict[str, Any]) -> None:
    """Add the change of the pointer file that makes it name these bytes."""
    folder, _, name = path.rpartition("/")
    if output is not None:
        entry = base.entry(output.pointer)
        assert entry is not None
        body = _edited(base.blob(entry.oid, limit_bytes=POINTER_BYTES), output, values)
        plan.changes.append(Put(output.pointer, body, expected=entry.oid))
        return
    pointer = f"{path}.dvc"
    if base.entry(pointer) is not None:
        raise Refused("path conflict", f"'{pointer}' is there already and tracks something else.")
    body = yaml.safe_dump({"outs": [{**values, "path": name}]}, sort_keys=False, allow_unicode=True).encode()
    plan.changes.append(Put(pointer, body, expected=ABSENT))
    plan.ignored.setdefault(folder, []).append(name)


def _edited(data: bytes, output: Output, values: dict[str, Any]) -> bytes:
    """The pointer file with this output's md5, size and nfiles changed and everything else kept."""
    folder = output.pointer.rpartition("/")[0]
    try:
        documents.load(data)  # refuses what is too deep, too long, or not plain
        document = yaml.safe_load(data)
    except (Malformed, yaml.YAMLError) as error:
        raise Refused("path conflict", f"'{output.pointer}' cannot be read: {error}"[:300]) from error
    if document.get("deps") or document.get("cmd"):
        raise Refused("edit pipeline unsupported", f"'{output.pointer}' imports its data; change it with dvc.")
    for entry in document["outs"]:
        wdir = document.get("wdir") or ""
        placed = pointers.clean("/".join(filter(None, [folder, wdir, str(entry.get("path", ""))])))
        if placed == output.path:
            entry |= values
            document.pop("md5", None)  # a checksum of the old contents
            return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()
    raise Refused("path conflict", f"'{output.pointer}' cannot be changed by an upload; use dvc.")


async def _once(body: bytes):  # type: ignore[no-untyped-def]  # an async generator of one piece
    yield body


def empty(places: Places) -> bool:
    return not (places.git or places.alone or places.inside)
