"""What changed in the plots, as JSON: what `?format=json` and the REST API answer."""

from __future__ import annotations

from typing import Any

from datasets import answers
from datasets.pipeline_shapes import rev_shape
from datasets.plots import PlotsDiff
from repos.place import url


def plots_diff(found: PlotsDiff, *, only: str | None = None) -> dict[str, Any]:
    """only: the id of one plot, None for all."""
    asked = found.compared
    answer: dict[str, Any] = {
        "repository": asked.repository.full_name,
        "base": rev_shape(asked.base),
        "head": rev_shape(asked.head),
        "state": found.state,
        "url": permalink(found),
    }
    if found.state not in {"done", "none"}:
        return answer | answers.shape(asked.repository, found.state, found.job)
    plots = [plot for plot in found.document.get("plots", []) if only in {None, plot["id"]}]
    return answer | {"plots": plots, "problems": found.document.get("problems", [])}


def permalink(found: PlotsDiff) -> str:
    asked = found.compared
    return url(asked.repository, "datasets/plots", f"{asked.base.commit}...{asked.head.commit}")
