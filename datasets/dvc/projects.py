"""Where the stages of a dvc.yaml run (`wdir`): the paths in dvc.lock are written from there."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from datasets.dvc import documents
from datasets.dvc.documents import Malformed
from datasets.dvc.pointers import Out

Folders = Mapping[str, str]  # name of a stage as in dvc.yaml → its wdir as written there


def folders_of(data: bytes) -> dict[str, str]:
    """Of the stages that run elsewhere than beside their dvc.yaml; none when it cannot be read."""
    if b"wdir" not in data:
        return {}
    try:
        document = documents.load(data)
    except Malformed:
        return {}
    stages = document.get("stages") if isinstance(document, dict) else None
    found = {name: _wdir(stage) for name, stage in stages.items()} if isinstance(stages, dict) else {}
    return {name: wdir for name, wdir in found.items() if wdir}


def _wdir(stage: Any) -> str:
    """Of `foreach` it stands below `do`."""
    if isinstance(stage, dict) and isinstance(stage.get("do"), dict):
        stage = stage["do"]
    wdir = stage.get("wdir") if isinstance(stage, dict) else None
    return wdir if isinstance(wdir, str) else ""


def from_folder(out: Out, stage: str, folders: Folders) -> Out:
    """An out or a dep of a stage in dvc.lock, with its path from the lock's folder. stage: as there, "train@eu".

    `${item}` is what stands behind the @; other templates only DVC's resolver knows, and the path stays as it is.
    """
    name, _, item = stage.partition("@")
    wdir = folders.get(name, "").replace("${item}", item)
    return replace(out, path=posixpath.join(wdir, out.path)) if wdir and "${" not in wdir else out
