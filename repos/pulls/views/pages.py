"""The list of pull requests, and one of them: its conversation and the tabs beside it."""

from __future__ import annotations

import shlex
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Busy
from repos import rules
from repos.git import history, read
from repos.git.read import Rev
from repos.issues.views.issue import conversation_of
from repos.issues.views.lists import list_page
from repos.place import Place, store_of, url
from repos.pulls import branches, messages, requirements, verdicts
from repos.pulls.models import PullRequest
from repos.pulls.views.gate import pull_at, readable

COMMITS_SHOWN = 250
TEACH = "git fetch origin\ngit switch {head}\ngit merge origin/{base}\ngit push"
PANELS = {
    "data": ("What changed in the data", "datasets/diff"),
    "experiments": ("What changed in the metrics", "experiments/diff"),
    "pipelines": ("What changed in the pipelines", "pipelines/diff"),
}


@require_safe
def index(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return list_page(request, readable(request, owner, name), kind="pull")


@require_safe
def conversation(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    reopen = reverse("pulls:reopen", args=[owner, name, number])
    context = {**context_of(pull, "conversation"), **conversation_of(request, pull.issue), "reopen_url": reopen}
    fragment = request.headers.get("HX-Request") and request.GET.get("after")
    return render(request, "issues/_entries.html" if fragment else "pulls/conversation.html", context)


@require_safe
def commits(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    base, head = branches.ends(pull)
    page = history.log(store_of(pull.repository), head, without=base, limit=COMMITS_SHOWN)
    place = Place(pull.repository, Rev(head, "commit", head))
    context = {"place": place, "commits": page.commits, "more_commits": bool(page.after)}
    return render(request, "pulls/commits.html", {**context_of(pull, "commits"), **context})


@require_safe
def panel(request: HubRequest, owner: str, name: str, number: int, which: str) -> HttpResponse:
    """A slot for what an upper app shows of these two commits; it is loaded by its address."""
    pull = pull_at(request, owner, name, number)
    base, head = branches.ends(pull)
    heading, page = PANELS[which]
    compared = f"{branches.parted(pull.repository, base, head)}...{head}"
    slot = {"heading": heading, "panel_url": url(pull.repository, page, compared)}
    return render(request, "pulls/panel.html", {**context_of(pull, which), **slot})


@require_safe
def merge_box(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment that says whether it can be merged, with the button."""
    pull = pull_at(request, owner, name, number)
    return render(request, "pulls/_merge_box.html", _merge_context(pull, request.actor.user_id))


def _merge_context(pull: PullRequest, user_id: int | None) -> dict[str, Any]:
    context = context_of(pull, "")
    if not pull.issue.is_open:
        heads = branches.tips(pull.repository, pull.base, pull.head)
        return {**context, "head_stays": heads.head == pull.head_id, "is_default": _is_default(pull)}
    if pull.claimed:
        return {**context, "waits": "This is being merged right now…"}
    tips = branches.tips_of(pull)
    if tips.base is None or tips.head is None:
        return {**context, "gone": read.shown(pull.head if tips.base else pull.base)}
    start = branches.merge_base(pull.repository, tips.base, tips.head)
    if start in {None, tips.head}:
        return {**context, "nothing": True}
    try:
        found = verdicts.verdict(pull.repository, tips.base, tips.head, user_id=user_id)
    except Busy as error:
        return {**context, "unknown": error}
    if found is None:
        return {**context, "waits": "Looking whether this can be merged…"}
    subject = messages.usual_subject(pull)
    context["teach"] = TEACH.format(base=_shell(pull.base), head=_shell(pull.head))
    context["unmet"] = found_unmet = requirements.unmet(pull, tips.base, tips.head)
    context["may_waive"] = all(one.by_rule for one in found_unmet) and requirements.may_waive(pull)
    return {**context, "verdict": found, "head_id": tips.head, "subject": subject, "is_default": _is_default(pull)}


def _shell(branch: str) -> str:
    return shlex.quote(read.shown(branch))


def _is_default(pull: PullRequest) -> bool:
    """Or protected by a rule: a branch that stays after the merge."""
    return pull.head == pull.repository.default_branch or rules.asked_of(pull.repository, pull.head) is not None


def context_of(pull: PullRequest, section: str) -> dict[str, Any]:
    return {
        "repository": pull.repository,
        "tab": "pulls",
        "section": section,
        "pull": pull,
        "issue": pull.issue,
        "base_shown": read.shown(pull.base),
        "head_shown": read.shown(pull.head),
    }
