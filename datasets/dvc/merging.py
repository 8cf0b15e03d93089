"""Three-way merges of DVC's own files: pointers (.dvc) and dvc.lock. Bytes in, bytes out, in the form that DVC itself
writes. base is None when the file was added on both sides. (Lists of a folder's files: datasets.dvc.foldermerging.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets.dvc import keys, yamls
from datasets.dvc.documents import Malformed
from datasets.threeway import Conflict, Merged, merge

__all__ = ["OPEN", "Decide", "Directory", "MergedFile", "merge_lock", "merge_pointers"]

OPEN = object()  # the answer of who cannot decide
# (conflict, what it is of: value, object or stage) → what the merged file has there (None: nothing), or OPEN.
Decide = Callable[[Conflict[Any], str], Any]


def _undecided(_conflict: Conflict[Any], _kind: str) -> Any:
    return OPEN


@dataclass(frozen=True)
class MergedFile:
    """data: the merged file, b"" while there are conflicts. needs_repro: stages of dvc.lock whose inputs changed on
    both sides, with their three versions: their outputs are those of base until `dvc repro` makes new ones."""

    data: bytes
    conflicts: list[Conflict[Any]] = field(default_factory=list)
    needs_repro: list[Conflict[Any]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.conflicts


# ---- pointers ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Directory:
    """What a merged output becomes. size in bytes, None when not known. nfiles: None for one that is a file."""

    oid: str
    size: int | None
    nfiles: int | None


# (path as the pointer has it, base's oid or "", ours, theirs) → the merged directory, or its conflicts.
MergeDirectory = Callable[[str, str, str, str], Directory | list[Conflict[Any]]]
# The same of a file. None: nobody can merge files of this kind.
MergeFile = Callable[[str, str, str, str], Directory | list[Conflict[Any]] | None]


def merge_pointers(
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    *,
    merge_directory: MergeDirectory | None = None,
    merge_file: MergeFile | None = None,
    decide: Decide = _undecided,
) -> MergedFile:
    """One .dvc file. An output that both sides changed is merged by merge_directory or merge_file, where given. What is
    left decide is asked about, always in the same order; what it leaves open is told as a conflict.

    Conflicts name the output's path, "path/of/file" inside of a directory, or a key of the file. Raises Malformed.
    """
    if (same := _one_sided(base, ours, theirs)) is not None:
        return MergedFile(same)
    b, o, t = (_mapping(data) for data in (base, ours, theirs))
    rest = _decided(merge(*(_without(document, "outs", "md5") for document in (b, o, t))), "value", decide)
    outs = _merge_outs(_outs_of(b), _outs_of(o), _outs_of(t), merge_directory, merge_file, decide)
    conflicts = [*rest.conflicts, *outs.conflicts]
    if conflicts:
        return MergedFile(b"", conflicts)
    start = b if base is not None else min(o, t, key=yamls.dump)
    return MergedFile(yamls.dump(_updated(start, rest.value | {"outs": list(outs.value.values())})))


def _merge_outs(
    base: dict[str, Any],
    ours: dict[str, Any],
    theirs: dict[str, Any],
    merge_directory: MergeDirectory | None,
    merge_file: MergeFile | None,
    decide: Decide,
) -> Merged[str, Any]:
    merged = merge(base, ours, theirs)
    value, conflicts = dict(merged.value), list[Conflict[Any]]()
    for conflict in merged.conflicts:
        b, o, t = ({**(side or {})} for side in (conflict.base, conflict.ours, conflict.theirs))
        others = merge(*(_without(side, "md5", "size", "nfiles") for side in (b, o, t)))
        oids = [str(side.get("md5", "")) for side in (b, o, t)]
        made = None if others.conflicts else _made(str(conflict.where), oids, merge_directory, merge_file)
        if made is None:
            _decide(conflict, "object", decide, value, conflicts)
            continue
        if isinstance(made, list):
            conflicts += [Conflict(f"{conflict.where}/{c.where}", c.base, c.ours, c.theirs, c.reason) for c in made]
            continue
        numbers = {"md5": made.oid, "size": made.size, "nfiles": made.nfiles}
        value[conflict.where] = {k: v for k, v in numbers.items() if v is not None} | others.value
    in_order = [*base, *sorted({*ours, *theirs} - base.keys())]
    return Merged({path: value[path] for path in in_order if path in value}, conflicts)


def _made(
    path: str, oids: list[str], merge_directory: MergeDirectory | None, merge_file: MergeFile | None
) -> Directory | list[Conflict[Any]] | None:
    """The content that both sides changed, merged by whoever can. oids: of base, ours, theirs."""
    old, ours, theirs = oids
    directories = [keys.is_manifest(oid) for oid in (ours, theirs)]
    if all(directories) and merge_directory is not None:
        return merge_directory(path, old if keys.is_manifest(old) else "", ours, theirs)
    if not any(directories) and keys.is_oid(ours) and keys.is_oid(theirs) and merge_file is not None:
        return merge_file(path, old if keys.is_oid(old) and not keys.is_manifest(old) else "", ours, theirs)
    return None


# ---- dvc.lock ----------------------------------------------------------------------------------
def merge_lock(base: bytes | None, ours: bytes, theirs: bytes, *, decide: Decide = _undecided) -> MergedFile:
    """dvc.lock, stage by stage. Outputs are never put together: a stage's record is one that a run has made.

    Both sides changed the inputs (cmd, deps, params) of a stage differently → base's record stays and the stage needs
    repro; one side changed them → its record; neither, but the outputs differ → a conflict. Raises Malformed.
    """
    if (same := _one_sided(base, ours, theirs)) is not None:
        return MergedFile(same)
    b, o, t = (_mapping(data) for data in (base, ours, theirs))
    if any("stages" not in document for document in (b, o, t) if document):
        raise Malformed("only dvc.lock of schema 2.0 is merged")
    rest = _decided(merge(*(_without(document, "stages") for document in (b, o, t))), "value", decide)
    stages, needs_repro = _merge_stages(*(document.get("stages") or {} for document in (b, o, t)), decide=decide)
    conflicts = [*rest.conflicts, *stages.conflicts]
    if conflicts:
        return MergedFile(b"", conflicts, needs_repro)
    start = b if base is not None else min(o, t, key=yamls.dump)
    return MergedFile(yamls.dump(_updated(start, rest.value | {"stages": stages.value})), [], needs_repro)


def _merge_stages(
    base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any], *, decide: Decide
) -> tuple[Merged[str, Any], list[Conflict[Any]]]:
    merged = merge(base, ours, theirs)
    value, conflicts, needs_repro = dict(merged.value), list[Conflict[Any]](), []
    for conflict in merged.conflicts:
        b, o, t = conflict.base, conflict.ours, conflict.theirs
        if not all(isinstance(side, Mapping) for side in (b, o, t)):
            _decide(conflict, "stage", decide, value, conflicts)  # removed on one side, or added on both
            continue
        inputs = [_without(side, "outs") for side in (b, o, t)]  # type: ignore[arg-type]  # mappings, as just asked
        if inputs[1] == inputs[2]:
            _decide(conflict, "stage", decide, value, conflicts)  # the same run made different outputs
        elif inputs[1] == inputs[0]:
            value[conflict.where] = t
        elif inputs[2] == inputs[0]:
            value[conflict.where] = o
        else:
            value[conflict.where] = b
            needs_repro.append(conflict)
    in_order = [*base, *sorted({*ours, *theirs} - base.keys())]
    return Merged({name: value[name] for name in in_order if name in value}, conflicts), needs_repro


# ---- what people decide ------------------------------------------------------------------------
def _decided(merged: Merged[str, Any], kind: str, decide: Decide) -> Merged[str, Any]:
    value, conflicts = dict(merged.value), list[Conflict[Any]]()
    for conflict in merged.conflicts:
        _decide(conflict, kind, decide, value, conflicts)
    return Merged(value, conflicts)


def _decide(
    conflict: Conflict[Any], kind: str, decide: Decide, value: dict[str, Any], conflicts: list[Conflict[Any]]
) -> None:
    """Into value, or to the conflicts that stay."""
    chosen = decide(conflict, kind)
    if chosen is OPEN:
        conflicts.append(conflict)
    elif chosen is not None:
        value[str(conflict.where)] = chosen


# ---- parts -------------------------------------------------------------------------------------
def _one_sided(base: bytes | None, ours: bytes, theirs: bytes) -> bytes | None:
    """The very bytes of a side, when the other changed nothing."""
    if ours == theirs or theirs == base:
        return ours
    return theirs if ours == base else None


def _mapping(data: bytes | None) -> Any:
    document = yamls.load(data) if data else {}
    if not isinstance(document, dict):
        raise Malformed("not a mapping")
    return document


def _outs_of(document: Any) -> dict[str, Any]:
    outs = document.get("outs")
    if outs is not None and not isinstance(outs, list):
        raise Malformed("outs is no list")
    found: dict[str, Any] = {}
    for out in outs or []:
        path = out.get("path") if isinstance(out, dict) else None
        if not isinstance(path, str) or path in found:
            raise Malformed("an output lacks its path, or has another's")
        found[path] = out
    return found


def _without(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in names and value is not None}


def _updated(document: Any, values: Mapping[str, Any]) -> Any:
    """The document with these top-level values and no others; what did not change keeps its place and comments."""
    for key in [key for key in document if key not in values]:
        del document[key]
    for key, value in values.items():
        if key not in document or document[key] != value:
            document[key] = value
    return document
