"""The first page: one's own and recent repositories and the first steps; a welcome for strangers."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from datasets.models import StoredObject
from hub.accounts.http import HubRequest
from hub.accounts.models import AccessToken, User
from repos.models import Membership, Push, Repository, Star

OWN_SHOWN, RECENT_SHOWN = 15, 20


@dataclass(frozen=True)
class Step:
    """One of the first steps; done is asked of the rows, never remembered."""

    done: bool
    title: str
    hint: str
    url: str


@require_safe
def home(request: HubRequest) -> HttpResponse:
    if request.actor.user is None:
        return render(request, "hub/welcome.html")
    user = request.actor.user
    visible = Repository.objects.visible_to(request.actor).select_related("owner")
    active = Coalesce("pushed", "created").desc()
    own = list(visible.filter(owner=user.owner_id).order_by(active)[: OWN_SHOWN + 1])
    mine = (
        Q(owner=user.owner_id)
        | Q(pk__in=Membership.objects.filter(user=user).values("repository_id"))
        | Q(pk__in=Star.objects.filter(user=user).values("repository_id"))
    )
    recent = visible.filter(mine).prefetch_related("topics").order_by(active)[:RECENT_SHOWN]
    steps = first_steps(user, own)
    context = {
        "own": own[:OWN_SHOWN],
        "more_own": len(own) > OWN_SHOWN,
        "recent": recent,
        "steps": steps,
        "steps_left": sum(not step.done for step in steps),
    }
    return render(request, "hub/home.html", context)


def first_steps(user: User, own: list[Repository]) -> list[Step]:
    """What a newcomer does first. own: some of their repositories, newest activity first."""
    mine = Repository.objects.filter(owner=user.owner_id, deleted=None)
    first = own[0].get_absolute_url() if own else reverse("repos:new")
    return [
        Step(bool(own), "Make a repository", "One place for code, data and experiments.", reverse("repos:new")),
        Step(
            AccessToken.objects.filter(user=user).exists(),
            "Make an access token",
            "git, dvc and mlflow use it as the password.",
            reverse("settings_tokens"),
        ),
        Step(
            Push.objects.filter(user=user, state=Push.State.DONE).exists(),
            "Push code",
            "git push; the repository's page shows the exact lines.",
            first,
        ),
        Step(
            StoredObject.objects.filter(repository__in=mine).exists(),
            "Push data",
            "dvc add, then dvc push: big files live beside the code.",
            first,
        ),
        Step(
            mine.filter(runs_count__gt=0).exists(),
            "Log a run",
            "Point mlflow at the repository and see its runs here.",
            first,
        ),
        Step(
            Membership.objects.filter(repository__in=mine).exists(),
            "Invite somebody",
            "Under the repository's Settings → Collaborators.",
            f"{first}/settings/collaborators" if own else first,
        ),
    ]
