"""What was not committed when a run began: a patch in a tag, or among the files it left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from experiments import files
from experiments.mlflow.artifacts import Item
from experiments.runs import Run
from repos import diffs
from repos.diffs import Options, ShownDiff
from repos.models import Repository

TAG = "mlflow.source.git.diff"
ENDS = (".patch", ".diff")
MAX_BYTES = 512 * 1024


@dataclass(frozen=True)
class Patch:
    """path: of the artifact, "" for a tag. diff: None when it is no patch of git's. cut: only its beginning was
    read."""

    path: str
    diff: ShownDiff | None
    cut: bool = False


def named(items: Iterable[Item]) -> str:
    """The patch among the files in the root of a run's artifacts, "" for none."""
    return next((item.name for item in items if not item.is_dir and item.name.lower().endswith(ENDS)), "")


def of_run(repository: Repository, run: Run, path: str) -> Patch | None:
    """path: of the artifact that holds it. None when neither it nor the tag is there."""
    if path:
        file = files.artifact(repository.pk, run.artifact_uri, path)
        return _shown(file.head(MAX_BYTES), path, cut=file.size > MAX_BYTES)
    text = run.tags.get(TAG, "")
    return _shown(text.encode(), "") if text else None


def _shown(data: bytes, path: str, *, cut: bool = False) -> Patch:
    shown = diffs.of_patch(data, Options())
    return Patch(path, shown if shown.files else None, cut)
