"""What changed in the plots between two revisions: declared by dvc.yaml, drawn over each other. Also as JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from datasets import answers
from datasets.stages import plot_shapes
from datasets.stages.plots import PlotsDiff, plots_diff
from datasets.views import waiting
from datasets.views.links import Links
from datasets.views.pipelines import readable, two_revs
from hub.accounts.http import HubRequest
from hub.lib.paging import page_of
from repos.git import read
from repos.place import Place, url
from repos.views.places import rest_of

PER_PAGE = 24
# Templates of DVC that plot-diff.js draws. (A repository that keeps its own copy of one means that one.)
DRAWN = {
    *("linear", "simple", "smooth", "scatter", "scatter_jitter", "confusion", "confusion_normalized"),
    *("bar_horizontal", "bar_horizontal_sorted"),
}
PICTURES = (".jpg", ".jpeg", ".gif", ".png")  # of which small pictures are made


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    """base...head; ?plot=: of the JSON that one alone."""
    repository = readable(request.actor, owner, name)
    found = plots_diff(two_revs(repository, rest_of(request).partition("/")[2]), user_id=request.actor.user_id)
    if request.GET.get("format") == "json":
        return waiting.as_json(found.state, plot_shapes.plots_diff(found, only=request.GET.get("plot")))
    return waiting.page(request, "datasets/plots.html", found.state, lambda: _context(request, found))


def _context(request: HubRequest, found: PlotsDiff) -> dict[str, Any]:
    asked, repository = found.compared, found.compared.repository
    places = {"base": Place(repository, asked.base), "head": Place(repository, asked.head)}
    shown = page_of(found.document.get("plots", []), request.GET.get("page", "1"), PER_PAGE)
    permalink = found.compared.permalink(plot_shapes.PAGE)
    return waiting.controls(request, repository, found.job) | {
        "repository": repository,
        "tab": "experiments",
        "found": found,
        "why_not": answers.why_not(found.state, found.job),
        "doing": "Reading the plots…",
        "sides": places.items(),
        "swap": url(repository, "datasets/plots", f"{asked.head.name}...{asked.base.name}"),
        "permalink": permalink,
        "json_url": f"{permalink}?format=json",
        "links": Links(request),
        "page": shown,
        "plots": [_shown(plot, places, permalink) for plot in shown.rows],
        "problems": found.document.get("problems", []),
    }


def _shown(plot: dict[str, Any], places: dict[str, Place], permalink: str) -> dict[str, Any]:
    """A plot with the address of its points, or of its pictures: (side, place, small picture or "", whole picture)."""
    if plot["kind"] == "points":
        own = plot["template"] not in DRAWN
        return plot | {
            "url": f"{permalink}?{urlencode({'format': 'json', 'plot': plot['id']})}",
            "own": own,
            "own_url": _template_url(places["head"], plot["template"]) if own else "",
        }
    pictures = []
    for side, path in plot["images"].items():
        place = Place(places[side].repository, places[side].rev, path)
        small = f"{place.pinned('datasets/thumbnail')}?edge=512" if path.lower().endswith(PICTURES) else ""
        pictures.append((side, place, small, place.blob_url))
    return plot | {"pictures": pictures}


def _template_url(head: Place, template: str) -> str:
    """Where the repository keeps it, as DVC looks for it: by its path, or by its name in .dvc/plots."""
    name = template.removesuffix(".json")
    for path in (template, f".dvc/plots/{name}.json"):
        entry = read.find_entry(head.store, head.rev.commit, path) if path.isprintable() else None
        if entry is not None and entry.kind == "file":
            return Place(head.repository, head.rev, path).blob_url
    return ""
