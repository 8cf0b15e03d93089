"""Open an issue: choose a template where the repository has some, then write."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from repos.issues import issue_templates, opening, timeline
from repos.issues.issue_templates import Template
from repos.issues.models import Label
from repos.issues.rights import taking_part
from repos.issues.views.gate import readable
from repos.models import Repository

BLANK = "blank"  # a ?template= that says: none of them


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    taking_part(request.actor, repository)
    if request.method == "POST":
        return _create(request, repository)
    templates, asked = issue_templates.templates_of(repository), request.GET.get("template", "")
    chosen = next((found for found in templates if found.file == asked), None)
    if templates and not asked:
        return render(
            request, "issues/choose.html", {"repository": repository, "tab": "issues", "templates": templates}
        )
    title = request.GET.get("title", chosen.title if chosen else "")
    body = request.GET.get("body", chosen.body if chosen else "")
    return _form(request, repository, title=title, body=body, chosen=chosen)


def _create(request: HubRequest, repository: Repository) -> HttpResponse:
    title, body = request.POST.get("title", ""), request.POST.get("body", "")
    chosen = issue_templates.template_named(repository, request.POST.get("template", ""))
    try:
        issue = opening.open_issue(
            request.actor, repository, title=title, body=body, by_template=_labels(repository, chosen)
        )
    except Unprocessable as error:
        return _form(request, repository, title=title, body=body, chosen=chosen, error=error)
    return redirect(issue)


def _labels(repository: Repository, template: Template | None) -> list[Label]:
    keys = {name.lower() for name in template.labels} if template else set()
    return list(Label.objects.filter(repository=repository, name_key__in=keys)) if keys else []


def _form(
    request: HubRequest,
    repository: Repository,
    *,
    title: str,
    body: str,
    chosen: Template | None,
    error: Unprocessable | None = None,
) -> HttpResponse:
    context = {
        "repository": repository,
        "tab": "issues",
        "title": title,
        "body": body,
        "chosen": chosen,
        "error": error,
    }
    return render(request, "issues/new.html", context, status=error.code if error else 200)


@login_required
@require_POST
def preview(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The fragment with a text as it will be shown."""
    repository = readable(request, owner, name)
    html = timeline.preview(repository, request.actor, request.POST.get("body", "")[:100_000])
    return render(request, "issues/_preview.html", {"html": html})
