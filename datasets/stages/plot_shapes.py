"""What changed in the plots, as JSON: what `?format=json` and the REST API answer."""

from __future__ import annotations

from typing import Any

from datasets import answers
from datasets.stages.plots import PlotsDiff

PAGE = "datasets/plots"


def plots_diff(found: PlotsDiff, *, only: str | None = None) -> dict[str, Any]:
    """only: the id of one plot, None for all."""
    asked = found.compared
    answer = answers.compared(asked, PAGE, found.state)
    if found.state not in {"done", "none"}:
        return answer | answers.shape(asked.repository, found.state, found.job)
    plots = [plot for plot in found.document.get("plots", []) if only in {None, plot["id"]}]
    return answer | {"plots": plots, "problems": found.document.get("problems", [])}
