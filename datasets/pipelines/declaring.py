"""Which files of a commit its dvc.yaml files call metrics, params and plots. Runs in the sandbox."""

from __future__ import annotations

from typing import Any

from datasets.dvc import pointers
from datasets.dvc.pointers import Out
from datasets.pipelines import resolving
from datasets.pipelines.values import text_of

MAX_FILES = 1_000  # of each kind


def declared(payload: bytes, *, pipelines: list[str]) -> dict[str, Any]:
    """{"metrics", "plots", "whole": paths, "params": path → {name: text}, "missed"}; payload and missed as of resolve.

    whole: files of params that count as a whole, as those that dvc.yaml lists at its top; params: the values that
    stages name in other files.
    """
    answer = resolving.resolve(payload, pipelines=pipelines)
    metrics, plots, whole = set(), set(), set()
    params: dict[str, dict[str, str]] = {}
    for file in answer["files"]:
        folder = file["path"].rpartition("/")[0]
        metrics |= _placed(file["metrics"], folder)
        plots |= _placed(file["plots"], folder)
        whole |= _placed(file["params"], folder)
    for stage in answer["stages"]:
        for out in stage["outs"]:
            if out["path"]:
                {"metric": metrics, "plot": plots}.get(out["kind"], set()).add(out["path"])
        for param in stage["params"]:
            if param["file"] and "value" in param:
                params.setdefault(param["file"], {})[param["name"]] = text_of(param["value"])
    return {
        "metrics": sorted(metrics)[:MAX_FILES],
        "plots": sorted(plots)[:MAX_FILES],
        "whole": sorted(whole)[:MAX_FILES],
        "params": {path: params[path] for path in sorted(params)[:MAX_FILES]},
        "missed": answer["missed"],
    }


def _placed(paths: list[str], folder: str) -> set[str]:
    placed = (pointers.placed(Out(path, ""), folder) for path in paths if "://" not in path)
    return {out.path for out in placed if out}
