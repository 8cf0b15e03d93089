"""From what an address names to the thing that lineage knows. Other repositories' ids are as if absent."""

from __future__ import annotations

import re

from datasets.dvc.keys import OID_PATTERN
from datasets.tracked.commits import hash_of, known_of
from datasets.tracked.holdings import holdings
from datasets.tracked.tracking import tracked
from experiments.lineage import recorded
from experiments.lineage.nodes import COMMIT, DATASET, FILE, KINDS, MODEL, RUN, STAGE, Ref, known_data, oid_of
from experiments.models import StageItem, StageRecord
from hub.lib.errors import NotFound
from repos.git import read
from repos.models import Repository
from repos.place import resolve, split_rev, store_of

_DATA = re.compile(rf"{OID_PATTERN}|files:[0-9a-f]{{64}}")
_KEY = re.compile(r"[0-9a-f]{32}")
_MODEL = re.compile(r".{1,256}/[1-9][0-9]{0,8}", re.DOTALL)


def entered(repository: Repository, kind: str, id: str) -> Ref:
    """id: as Ref says, or of data and files also "{rev}/{path}", of a commit any rev. Raises NotFound."""
    if kind not in KINDS or "\0" in id:
        raise NotFound()
    if kind in {DATASET, FILE}:
        return _data_or_file(repository, kind, id)
    if kind == COMMIT:
        return Ref(COMMIT, resolve(repository, id).commit)
    if not _IS_THERE[kind](repository, id):
        raise NotFound("There is no such thing here.")
    return Ref(kind, id)


def _is_stage(repository: Repository, key: str) -> bool:
    return bool(_KEY.fullmatch(key)) and StageRecord.objects.filter(repository=repository, key=key).exists()


def _is_run(repository: Repository, run_id: str) -> bool:
    return bool(_KEY.fullmatch(run_id)) and bool(recorded.alive(repository.pk, [run_id]))


def _is_model(repository: Repository, model: str) -> bool:
    return bool(_MODEL.fullmatch(model)) and recorded.run_of(repository.pk, model) is not None


_IS_THERE = {STAGE: _is_stage, RUN: _is_run, MODEL: _is_model}


def _data_or_file(repository: Repository, kind: str, id: str) -> Ref:
    if _DATA.fullmatch(id) and known_data(repository, [id]):
        return Ref(DATASET, id)
    oid, _, path = id.partition("/")
    if kind == FILE and path and _DATA.fullmatch(oid) and _is_named(repository, path, oid):
        return Ref(FILE, id)
    rev, path = split_rev(repository, id)
    found = at(repository, rev.commit, path) if path else None
    if found is None or (kind == DATASET and found.kind != DATASET):
        raise NotFound("There is no such thing here.")
    return found


def at(repository: Repository, commit: str, path: str) -> Ref | None:
    """What a path is at a commit: data (also for what lies inside of it), or a file or folder of git."""
    around = tracked(repository, commit).around(path)
    if around is not None:
        out = around[0].out
        return Ref(DATASET, oid_of(known_of(out).identity)) if out.oid or out.files else None
    entry = read.find_entry(store_of(repository), commit, path)
    if entry is None or entry.kind not in {"file", "dir"}:
        return None
    shown = read.shown(path)
    if not _is_named(repository, path):
        return Ref(FILE, f"{commit}/{shown}")  # no stage names it: its content need not be hashed
    oid = holdings(repository, commit, [path])[path].md5
    if not oid:
        return Ref(FILE, f"{commit}/{shown}")
    return Ref(DATASET, oid) if known_data(repository, [oid]) else Ref(FILE, f"{oid}/{shown}")


def _is_named(repository: Repository, path: str, oid: str = "") -> bool:
    """Whether a stage names a path, or content at it."""
    found = StageItem.objects.filter(repository=repository, path_hash=hash_of(path))
    return (found.filter(oid=oid) if oid else found).exists()
