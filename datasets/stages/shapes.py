"""Pipelines and their diffs as JSON: what `?format=json` and the REST API answer."""

from __future__ import annotations

from typing import Any

from datasets import answers
from datasets.pipelines import states
from datasets.stages.pages import Judged, Pipeline, PipelineDiff
from repos.place import url

DIFF_PAGE = "pipelines/diff"
_OUT = ("path", "written", "kind", "cache", "state")
_DEP = ("path", "written", "state")


def pipeline(found: Pipeline) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "repository": found.repository.full_name,
        "rev": answers.rev(found.rev),
        "state": found.state,
        "url": url(found.repository, "pipelines", found.rev.commit),
    }
    if found.state not in {"done", "none"}:
        return answer | answers.shape(found.repository, found.state, found.job)
    names = _names(found.document)
    return answer | {
        "summary": summary(found),
        "files": found.document.get("files", []),
        "stages": [_stage(judged) for judged in found.stages],
        "sources": found.document.get("sources", []),
        "edges": [[names[tail], names[head]] for tail, head in found.document.get("edges", [])],
        "problems": found.document.get("problems", []),
    }


def summary(found: Pipeline) -> dict[str, int]:
    """How many stages are in each state."""
    return {state.replace(" ", "_"): sum(one.state == state for one in found.stages) for state in states.STATES}


def pipeline_diff(found: PipelineDiff) -> dict[str, Any]:
    asked = found.compared
    answer = answers.compared(asked, DIFF_PAGE, found.state)
    if found.state not in {"done", "none"}:
        return answer | answers.shape(asked.repository, found.state, found.job)
    document = found.document
    names = _names(document)
    return answer | {
        "summary": document.get("summary", {}),
        "stages": [stage for stage in document.get("stages", []) if stage["status"] != "same"],
        "edges": [
            {"from": names[tail], "to": names[head], "status": status}
            for tail, head, status in document.get("edges", [])
        ],
        "problems": document.get("problems", {"base": [], "head": []}),
    }


def _stage(judged: Judged) -> dict[str, Any]:
    stage = judged.stage
    return {
        **{key: stage[key] for key in ("address", "name", "group", "file", "wdir", "cmd", "desc", "frozen")},
        "state": judged.state,
        "reasons": judged.reasons,
        "deps": [{key: dep[key] for key in _DEP if key in dep} for dep in stage["deps"]],
        "params": [
            {key: param[key] for key in ("file", "name", "value", "lock", "state") if key in param}
            for param in stage["params"]
        ],
        "outs": [
            {key: out[key] for key in _OUT if key in out} | {"pushed": judged.pushed.get(out["path"])}
            for out in stage["outs"]
        ],
    }


def _names(document: dict[str, Any]) -> list[str]:
    """Of the nodes of a graph: addresses of stages, then pointers of sources."""
    stages, sources = document.get("stages", []), document.get("sources", [])
    return [*(stage["address"] for stage in stages), *(source["pointer"] for source in sources)]
