"""The fragment that says whether a pull request can be merged, with the button, and what can be done afterwards."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Busy
from repos import ways
from repos.git import read
from repos.issues.rights import rights_of
from repos.pulls import branches, heads, messages, origins, requirements, testmerges, updating, verdicts
from repos.pulls.models import PullRequest
from repos.pulls.views.context import context_of
from repos.pulls.views.gate import pull_at

TEACH_FORK = "git switch {head}\ngit pull {url} {base}\ngit push"
TEACH = "git fetch origin\ngit switch {head}\ngit merge origin/{base}\ngit push"


@require_safe
def merge_box(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment that says whether it can be merged, with the button."""
    pull = pull_at(request, owner, name, number)
    may_change = rights_of(request.actor, pull.repository).change(pull.issue)
    context = {**merge_context(pull, request.actor.user_id), "may_change": may_change}
    if "verdict" in context and not origins.shows_data(request.actor, pull):
        context["verdict"] = context["verdict"].without_places()
    if context.get("behind"):
        context["may_update"] = updating.may_update(request.actor, pull)
    return render(request, "pulls/_merge_box.html", context)


def merge_context(pull: PullRequest, user_id: int | None) -> dict[str, Any]:
    context = {**context_of(pull, ""), "stays": pull.head_repository is not None or heads.stays(pull)}
    if not pull.issue.is_open:
        if pull.head_repository is not None:  # whose branches are the fork's own matter
            return context
        tip = branches.head_tip(pull)
        return {**context, "head_stays": tip == pull.head_id, "head_gone": tip is None}
    if pull.claimed:
        return {**context, "waits": "This is being merged right now…"}
    tips = branches.tips_of(pull)
    if tips.base is None or tips.head is None:
        return {**context, "gone": read.shown(pull.head if tips.base else pull.base), "base_gone": tips.base is None}
    start = branches.merge_base(pull.repository, tips.base, tips.head)
    if start in {None, tips.head}:
        return {**context, "nothing": True, "unrelated": start is None}
    try:
        lender = origins.lender(pull)
        found = verdicts.verdict(pull.repository, tips.base, tips.head, user_id=user_id, lender=lender)
    except Busy as error:
        return {**context, "unknown": error}
    if found is None:
        return {**context, "waits": "Looking whether this can be merged…"}
    if found.clean:
        testmerges.want(pull)
    methods = ways.allowed(pull.repository)
    unmet = requirements.unmet(pull, tips.base, tips.head)
    return {
        **context,
        "verdict": found,
        "head_id": tips.head,
        "behind": branches.behind(pull.repository, tips.base, tips.head) if start != tips.base else 0,
        "unmet": unmet,
        "may_waive": bool(unmet)
        and all(one.by_rule for one in unmet)
        and requirements.may_waive(pull, pull.repository.granted),
        "methods": [(method, ways.LABELS[method]) for method in methods],
        "may_rebase": "rebase" in methods,
        "subject": messages.usual_subject(pull),
        "teach": _teach(pull),
    }


def _teach(pull: PullRequest) -> str:
    form = TEACH_FORK if pull.head_repository else TEACH
    url = f"{settings.COVEY_URL}/{pull.repository.full_name}.git"
    return form.format(base=read.typed(pull.base), head=read.typed(pull.head), url=url)
