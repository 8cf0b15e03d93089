"""Open a pull request from a run."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from experiments import commits, proposing, runs
from experiments.mlflow.context import workspace_of
from experiments.runs import Run
from experiments.views.runs import readable
from hub.accounts.http import HubRequest
from hub.lib.errors import Conflict, HubError, NotFound, Unprocessable
from repos import access, browsing
from repos.access import Area
from repos.git import read
from repos.git.read import to_text
from repos.issues.rights import taking_part
from repos.models import Repository
from repos.place import resolve

MOST_BRANCHES = 500


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """GET ?base=: the form, filled with what the run changed. POST opens it."""
    repository = readable(request, owner, name)
    access.require_scope(request.actor, Area.REPO, write=False)
    taking_part(request.actor, repository)
    found, _ = runs.run(workspace_of(repository.pk), run_id)
    commit = commits.bind(repository, {run_id: found.commit}).get(run_id, "")
    if not commit:
        raise NotFound("This run has no commit in this repository.", details="Push its commit first: git push.")
    if request.method != "POST":
        base = request.GET.get("base", "") or repository.default_branch
        tip = resolve(repository, f"refs/heads/{base}").commit
        text = proposing.text_of(repository, found, commit, tip)
        return _form(request, repository, found, commit, title=found.name, body=text, base=base)
    fields = {field: request.POST.get(field, "") for field in ("title", "body")}
    base = to_text(request.POST.get("base", "").encode("utf-8", "replace"))
    try:
        pull = proposing.propose(request.actor, repository, found, commit, base=base, **fields)
    except (Unprocessable, Conflict) as error:
        return _form(request, repository, found, commit, base=base, error=error, **fields)
    return redirect(pull.issue)


def _form(
    request: HubRequest,
    repository: Repository,
    found: Run,
    commit: str,
    *,
    title: str,
    body: str,
    base: str,
    error: HubError | None = None,
) -> HttpResponse:
    head = proposing.branch_at(repository, commit)
    context = {
        "repository": repository,
        "tab": "experiments",
        "run": found,
        "title": title[:256],
        "body": body,
        "base": base,
        "head": read.shown(head),
        "new_branch": proposing.new_branch(found),
        "bases": [branch.name for branch in browsing.branches(repository)[:MOST_BRANCHES] if branch.name != head],
        "error": error,
    }
    return render(request, "experiments/propose.html", context, status=error.code if error else 200)
