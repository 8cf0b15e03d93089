"""Asks the real DVC about the project in the working directory, and prints JSON.

Without words: its stages and edges. "run": runs them. "changed": for each of changes.json (path → new text, null to
remove), the stages that `dvc status` names.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.repo import Repo


def main() -> None:
    answer: Any = None
    if sys.argv[1:] == ["run"]:
        with Repo(".") as repo:
            repo.reproduce()
    elif sys.argv[1:] == ["changed"]:
        answer = [changed(change) for change in json.loads(Path("changes.json").read_text())]
    else:
        with Repo(".") as repo:
            answer = {"stages": stages(repo), "edges": edges(repo)}
    print(json.dumps(answer))


def stages(repo: Repo) -> dict[str, Any]:
    found = {}
    for stage in repo.index.stages:
        if stage.is_data_source:
            continue
        found[stage.addressing] = {
            "cmd": stage.cmd if isinstance(stage.cmd, list) else [stage.cmd],
            "deps": [place(dep.fs_path) for dep in stage.deps if not isinstance(dep, ParamsDependency)],
            "outs": [[place(out.fs_path), kind(out), bool(out.use_cache)] for out in stage.outs],
            "params": sorted(
                [place(dep.fs_path), name]
                for dep in stage.deps
                if isinstance(dep, ParamsDependency)
                for name in dep.params
            ),
        }
    return found


def edges(repo: Repo) -> list[list[str]]:
    return sorted([tail.addressing, head.addressing] for head, tail in repo.index.graph.edges)


def changed(change: dict[str, str | None]) -> list[str]:
    before = {path: Path(path).read_bytes() if Path(path).exists() else None for path in change}
    write({path: text.encode() if text is not None else None for path, text in change.items()})
    try:
        with Repo(".") as repo:
            return sorted(repo.status())
    finally:
        write(before)


def write(files: dict[str, bytes | None]) -> None:
    for path, data in files.items():
        if data is None:
            Path(path).unlink()
        else:
            Path(path).write_bytes(data)


def place(path: str) -> str:
    return os.path.relpath(path)


def kind(out: object) -> str:
    return "metric" if out.metric else "plot" if out.plot else "out"  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
