"""Registered models: the list, one model, two versions of it side by side."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.mlflow.context import workspace_of
from experiments.registry import changes, comparing, files, reading
from experiments.registry.reading import Model, Version
from experiments.views.runs import readable
from hub.accounts.http import HubRequest
from hub.accounts.models import AuditEvent
from hub.lib.errors import Invalid
from hub.lib.numbers import whole
from hub.lib.paging import Page, page_number, words_of
from repos.models import Repository

PER_PAGE = 50
ACTS = {
    "model.create": "created the model",
    "model.rename": "renamed it:",
    "model.register": "registered",
    "model.describe": "described {which}:",
    "model.alias": "pointed",
    "model.alias-delete": "removed",
    "model.tag": "tagged {which}",
    "model.tag-delete": "removed a tag of {which}:",
    "model.stage": "moved {which}:",
    "model.version-delete": "deleted the version:",
    "model.delete": "deleted the model",
}


@require_safe
def models(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository, number = readable(request, owner, name), page_number(request.GET.get("page", "1"))
    text = words_of(request.GET.get("q", ""))
    start = (number - 1) * PER_PAGE
    found = reading.models(workspace_of(repository.pk), text=text, start=start, limit=PER_PAGE + 1)
    context = {
        **frame(repository),
        "q": text,
        "page": Page(found[:PER_PAGE], number, len(found) > PER_PAGE),
        "tracking_uri": tracking_uri(repository),
    }
    return render(request, "experiments/models.html", context)


@require_safe
def model(request: HubRequest, owner: str, name: str, model: str) -> HttpResponse:
    repository, number = readable(request, owner, name), page_number(request.GET.get("page", "1"))
    found = reading.model(workspace_of(repository.pk), model)
    start = (number - 1) * PER_PAGE
    versions = reading.versions(workspace_of(repository.pk), model, start=start, limit=PER_PAGE + 1)
    context = {
        **frame(repository, model),
        "model": found,
        "page": Page(versions[:PER_PAGE], number, len(versions) > PER_PAGE),
        "card": files.description(repository, found.description) if found.description else None,
        "snippet": snippet(repository, found, None),
        "history": told(changes.history(repository, model), model),
        "mlflow_url": f"{mount(repository)}#/models",
    }
    return render(request, "experiments/model.html", context)


@require_safe
def compare(request: HubRequest, owner: str, name: str, model: str) -> HttpResponse:
    """?version=1&version=2, the older one left."""
    repository = readable(request, owner, name)
    numbers = sorted({number_of(text) for text in request.GET.getlist("version")[:10]})
    if len(numbers) != 2:
        raise Invalid("Two versions can be compared.", details="Tick two versions on the model's page.")
    found = comparing.compare(repository.pk, model, numbers)
    return render(
        request, "experiments/model_compare.html", {**frame(repository, model), "model": model, "found": found}
    )


# ---- what the pages of models share ----------------------------------------------------------------
def frame(repository: Repository, model: str = "") -> dict[str, Any]:
    place = model_url(repository, model)
    return {"repository": repository, "tab": "models", "mount": mount(repository), "model_place": place}


def mount(repository: Repository) -> str:
    return f"/{repository.full_name}.mlflow/"


def number_of(text: str) -> int:
    """A version's number. Raises Invalid."""
    number = whole(text, most=reading.LARGEST_VERSION)
    if number is None:
        raise Invalid(f"{text[:20]!r} is no version.", details="Versions are numbers: 1, 2, 3.")
    return number


def tracking_uri(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/{repository.full_name}.mlflow"


def model_url(repository: Repository, model: str) -> str:
    """Quoted here, since a name may be anything that a client could write."""
    return f"/{repository.full_name}/models/{quote(model, safe='')}"


def told(events: list[AuditEvent], model: str) -> list[tuple[str, AuditEvent]]:
    """What was done, in words, with the event that says by whom. Words that could mean any version name theirs."""
    found = []
    for event in events:
        words, number = ACTS.get(event.action, event.action), event.subject.removeprefix(model)[1:]
        version = f"v{number}" if number else "it"
        found.append((words.replace("{which}", version), event))
    return found


def snippet(repository: Repository, model: Model, version: Version | None) -> dict[str, str]:
    """Lines that load a version: by its alias where it has one, which follows the model when it is trained again."""
    aliases = version.aliases if version else list(model.aliases)
    number = version.number if version else model.latest
    address = f"models:/{model.name}@{aliases[0]}" if aliases else f"models:/{model.name}/{number}"
    loaded = json.dumps(address, ensure_ascii=False)
    return {
        "environment": f"export MLFLOW_TRACKING_URI={tracking_uri(repository)}\n"
        "export MLFLOW_TRACKING_USERNAME=you MLFLOW_TRACKING_PASSWORD=covey_…",
        "python": f"import mlflow\n\nmodel = mlflow.pyfunc.load_model({loaded})\nmodel.predict(data)",
    }
