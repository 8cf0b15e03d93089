"""What dvc.lock records of each stage that ran: its command, what it read, what it made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from datasets.dvc import documents, pointers
from datasets.dvc.documents import Malformed
from datasets.dvc.pointers import Out
from datasets.dvc.projects import Folders, from_folder

MAX_ITEMS = 20_000  # deps and outs of one dvc.lock


@dataclass(frozen=True, slots=True)
class Locked:
    """One stage. cmd: its lines. deps, outs: with paths from the root; what lies outside of the repository is left out.

    key: the same for the same record, whatever commit it is in.
    """

    name: str
    cmd: str
    deps: tuple[Out, ...]
    outs: tuple[Out, ...]
    key: str


def records_of(data: bytes, path: str, folders: Folders) -> tuple[Locked, ...]:
    """The stages in the dvc.lock of this path, which ran in these folders. Raises Malformed."""
    document = documents.load(data)
    if document is None:
        return ()
    if not isinstance(document, dict):
        raise Malformed("not a mapping")
    found, count = [], 0
    for name, record in pointers.stages_of(document):
        stage = _locked(name, record, path, folders)
        count += len(stage.deps) + len(stage.outs)
        if count > MAX_ITEMS:
            raise Malformed(f"more than {MAX_ITEMS:,} dependencies and outputs")
        found.append(stage)
    return tuple(found)


def _locked(name: str, record: dict[str, Any], path: str, folders: Folders) -> Locked:
    folder = path.rpartition("/")[0]
    cmd = record.get("cmd")
    text = "\n".join(map(str, cmd)) if isinstance(cmd, list) else str(cmd or "")
    lists = [[from_folder(item, name, folders) for item in pointers.items_of(record.get(k))] for k in ("deps", "outs")]
    deps, outs = (tuple(one for item in items if (one := pointers.placed(item, folder))) for items in lists)
    written = json.dumps([path, name, record, [out.path for out in outs]], sort_keys=True)
    return Locked(name, text, deps, outs, hashlib.sha256(written.encode()).hexdigest()[:32])
