"""Which files of a commit its dvc.yaml files call metrics, params and plots. Runs in the sandbox."""

from __future__ import annotations

import base64
import json
from typing import Any

from datasets.dvc import pointers
from datasets.dvc.pointers import Out
from datasets.pipelines import resolving
from datasets.pipelines.values import text_of

_TEMPLATES = (b"${", b"vars", b"foreach", b"matrix")
MAX_FILES = 1_000  # of each kind
PARAMS = "params.yaml"  # read as a whole wherever there is a dvc.yaml, as DVC does


def declared(payload: bytes, *, pipelines: list[str]) -> dict[str, Any]:
    """{"metrics", "plots", "whole": paths, "params": path → {name: text}, "depends": paths, "missed"}; payload and
    missed as of resolve.

    whole: files of params that count as a whole: DVC's own, and those that dvc.yaml lists at its top; params: the
    values that stages name in other files. depends: other files whose contents this answer depends on.
    """
    answer = resolving.resolve(payload, pipelines=pipelines)
    given = {path: base64.b64decode(data or "") for path, data in json.loads(payload).items()}
    templated = any(word in given.get(path, b"") for path in pipelines for word in _TEMPLATES)
    metrics, plots, whole = set(), set(), {PARAMS}
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
            if param["file"]:
                values = params.setdefault(param["file"], {})
                values |= {param["name"]: text_of(param["value"])} if "value" in param else {}
    named = {path: params[path] for path in sorted(params.keys() - whole)[:MAX_FILES]}
    return {
        "metrics": sorted(metrics)[:MAX_FILES],
        "plots": sorted(plots)[:MAX_FILES],
        "whole": sorted(whole)[:MAX_FILES],
        "params": named,
        "depends": sorted({*given, *answer["missed"]} - {*pipelines}) if templated else sorted(named),
        "missed": answer["missed"],
    }


def _placed(paths: list[str], folder: str) -> set[str]:
    placed = (pointers.placed(Out(path, ""), folder) for path in paths if "://" not in path)
    return {out.path for out in placed if out}
