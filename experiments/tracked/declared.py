"""What the dvc.yaml files of many commits declare: asked once for all commits where nothing that matters differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datasets.stages.jobs import with_files
from repos.models import Repository

Beat = Callable[[int], None]
MOST_KEPT = 200  # commits with the same dvc.yaml files and other params


class Declared:
    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._known: dict[tuple[tuple[str, str], ...], list[tuple[dict[str, str], dict[str, Any]]]] = {}

    def of(self, commit: str, pipelines: dict[str, str], tree: Mapping[str, str], beat: Beat) -> dict[str, Any]:
        """What datasets.pipelines.declaring answers. pipelines: dvc.yaml → blob id; tree: path → blob id.

        Raises Failed."""
        known = self._known.setdefault(tuple(sorted(pipelines.items())), [])
        for others, said in known:
            if all(tree.get(path, "") == oid for path, oid in others.items()):
                return said
        said = with_files("declaring:declared", self.repository, commit, list(pipelines), pipelines, beat=beat)
        known.append(({path: tree.get(path, "") for path in said["depends"]}, said))
        del known[:-MOST_KEPT]
        return said
