"""What a change did to the metrics: a page of its own, which pull requests show beside code and data."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments import deltas
from experiments.review import Review, Row, review
from experiments.table.state import settings_of
from experiments.views.runs import readable
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import access
from repos.access import Area
from repos.place import resolve
from repos.views.places import rest_of

MOST_COMPARED = 100


@require_safe
def change(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """base...head: the runs of the commits that only head has, against those that base has."""
    repository = readable(request, owner, name)
    access.require_scope(request.actor, Area.REPO, write=False)
    first, dots, last = rest_of(request).partition("/")[2].partition("...")
    if not (first and dots and last):
        raise NotFound("That address names no two revisions.", details="It must hold base...head, e.g. v1...main.")
    base, head = (resolve(repository, one) for one in (first, last))
    found = review(repository, base.commit, head.commit, settings_of(repository).directions)
    context = {"repository": repository, "tab": "experiments", "base": base, "head": head, "found": found}
    context["begin"] = request.GET.get("pull", "") if request.actor.user else None
    return render(request, "experiments/review.html", {**context, **_shown(found)})


def _shown(found: Review) -> dict[str, Any]:
    ids = [run.run_id for run in (*found.base, *found.head)][:MOST_COMPARED]
    best = [("baseline", found.base[0].run_id)] if found.base else []
    return {
        "verdict": _verdict(found),
        "rows": [(row, _value(row, "base"), _value(row, "head"), _delta(row)) for row in found.rows],
        "sides": (("Before", found.base), ("With this change", found.head)),
        "compare": urlencode([("run", one) for one in ids] + best) if len(ids) > 1 else "",
        **_pair(found),
    }


def _verdict(found: Review) -> str:
    """Of how many metrics the best run is better than the best one before, and of how many it is worse."""
    told = [deltas.better(_value(row, "head"), _value(row, "base"), row.direction) for row in found.rows]
    counted = [f"{told.count(good)} {word}" for good, word in ((True, "better"), (False, "worse")) if good in told]
    return " and ".join(counted)


def _pair(found: Review) -> dict[str, Any]:
    """The best run of each side, whose params and curves are shown: by the first metric that tells, of clients' runs if
    it can be (only they have curves), else the newest."""
    if not (found.base and found.head):
        return {}
    ranked = [(row.base, row.head) for row in found.rows if row.direction and row.base and row.head]
    drawn = [pair for pair in ranked if not any(run.is_tracked for run in pair)]
    best = [*drawn, *ranked, (found.base[0], found.head[0])][0]
    ids = [run.run_id for run in best]
    asked = [("run", one) for one in ids] + [("baseline", ids[0]), ("differences", "1")]
    return {"pair": best, "pair_query": urlencode(asked)}


def _value(row: Row, side: str) -> float | None:
    run = getattr(row, side)
    return None if run is None else run.metrics[row.metric]


def _delta(row: Row) -> str:
    return deltas.html(_value(row, "head"), _value(row, "base"), row.direction, said=True)
