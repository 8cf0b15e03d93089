"""One run: what it was given, what it measured, what it left, and how to run it again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from experiments import artifact_bytes, asking, commits, files, proposing, runs
from experiments import history as curves
from experiments.details import family, inputs, measured, patch, source
from experiments.files import Level
from experiments.lineage import reproducing
from experiments.mlflow.context import workspace_of
from experiments.mlflow.run_editing import NOTE, NOTE_CHARACTERS
from experiments.runs import MOST_VALUES, Run
from experiments.tracked import joined
from experiments.tracked.marks import HUB_TAGS
from experiments.views.runs import PRIVATE, readable
from hub.accounts.http import HubRequest
from hub.lib import slow_texts
from hub.lib.paging import words_of
from repos.models import Repository


@require_GET
def run(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """A deleted run is shown to those who may restore it."""
    repository = readable(request, owner, name)
    found, latest = runs.run(workspace_of(repository.pk), run_id, deleted=repository.can_write)
    level = files.level(repository.pk, found.artifact_uri)
    again = _again(repository, found, level, user=request.actor.user.username if request.actor.user else "YOUR-NAME")
    may_propose = bool(again["commit"]) and request.actor.user is not None and not found.deleted
    merged = may_propose and proposing.merged_already(repository, again["commit"])
    context = {
        **about(repository, found),
        **_values(found, latest, request.GET),
        "linked": proposing.linked(repository, request.actor, found, again["commit"]),
        "propose_url": reverse("experiments:propose", args=[owner, name, run_id]) if may_propose and not merged else "",
        "merged": merged,
        **again,
        "inputs": inputs.of_run(repository, run_id),
        "family": family.of_run(workspace_of(repository.pk), found),
        "note": note_html(found),
        "note_text": found.tags.get(NOTE, ""),
        "note_characters": NOTE_CHARACTERS,
        "level": level,
    }
    return render(request, "experiments/run.html", context)


@require_GET
def history(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """The curve of ?key= as JSON, at most 1,000 buckets."""
    repository = readable(request, owner, name)
    runs.bare(workspace_of(repository.pk), run_id, deleted=repository.can_write)
    return JsonResponse(asdict(curves.curve(run_id, asking.key(request.GET))), headers=PRIVATE)


def about(repository: Repository, found: Run) -> dict[str, Any]:
    """What every page and part of a run shows."""
    return {"repository": repository, "tab": "experiments", "run": found}


def note_html(found: Run) -> str:
    return slow_texts.render(found.tags.get(NOTE, ""))


def _values(found: Run, latest: list[Any], given: QueryDict) -> dict[str, Any]:
    name, chosen = words_of(given.get("name", "")), given.getlist("metric")
    of_kind = {
        key: measured.of_run(found.run_id, latest, system=system, name=name, page=given.get(page, "1"), chosen=chosen)
        for key, system, page in (("metrics", False, "page"), ("system", True, "system_page"))
    }
    return {
        **of_kind,
        "name": name,
        "params": {key: value for key, value in found.params.items() if name.lower() in key.lower()},
        "cut": max(len(latest), len(found.params), len(found.tags)) == MOST_VALUES,
        "tags": {key: value for key, value in found.tags.items() if not key.startswith(("mlflow.", HUB_TAGS))},
    }


def _again(repository: Repository, found: Run, level: Level, *, user: str) -> dict[str, Any]:
    """The commit, what was not committed, and the lines that bring all of it back."""
    commit = commits.bind(repository, {found.run_id: found.commit}).get(found.run_id, "")
    path = patch.named(level.items)
    changes = patch.of_run(repository, found, path)
    address = None
    if changes is not None:
        address = f"{settings.COVEY_URL}{artifact_bytes.raw_url(repository, found.run_id, path)}" if path else ""
    lines = reproducing.of_run(repository, found, commit, user=user, patch_url=address) if commit else ""
    return {
        "commit": commit,
        "same_commit": family.named(workspace_of(repository.pk), joined.others(repository, found.run_id, commit)),
        "problems": found.tags.get("covey.problems", ""),
        "patch": changes,
        "reproduce": lines,
        "source": found.tags.get(source.NAME, ""),
    }
