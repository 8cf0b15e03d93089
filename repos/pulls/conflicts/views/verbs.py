"""Choose, choose for all of a file, and make the commit: one address each."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest
from hub.jobs import jobs
from hub.lib.errors import Conflict, Unprocessable
from hub.lib.numbers import whole
from hub.lib.paging import page_number
from repos.pulls.conflicts import choosing, listing, resolving
from repos.pulls.conflicts.files import File
from repos.pulls.conflicts.listing import Listing
from repos.pulls.conflicts.resolving import Order
from repos.pulls.conflicts.views import pages
from repos.pulls.drivers import Choice
from repos.pulls.models import PullRequest
from repos.pulls.views.gate import pull_at


@login_required
@require_POST
def choose(request: HubRequest, owner: str, name: str, number: int, digest: str) -> HttpResponse:
    """The places of one page; then comes the next page that has something to decide."""
    pull = pull_at(request, owner, name, number)
    user = choosing.chooser(request.actor, pull)
    found = _listing(request, pull)
    file, page = found.find(digest), page_number(request.POST.get("page", "1"), most=pages.MOST_PAGES)
    made = _made(request)
    if wrong := choosing.save(pull, user, found, file, made):
        return pages.asked(request, pull, found, file, page, typed=made, wrong=wrong)
    return _onwards(request, pull, found, file, page)


@login_required
@require_POST
def choose_all(request: HubRequest, owner: str, name: str, number: int, digest: str) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    user = choosing.chooser(request.actor, pull)
    found = _listing(request, pull)
    file = found.find(digest)
    choosing.save_all(pull, user, file, request.POST.get("side", ""))
    return _onwards(request, pull, found, file, 0)


@login_required
@require_POST
def resolve(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    user = choosing.chooser(request.actor, pull)
    ours, theirs, message = (request.POST.get(field, "") for field in ("ours", "theirs", "message"))
    found = _listing(request, pull)
    chosen = {file.digest: choosing.chosen(pull, user, file) for file in found.files}
    try:
        job = resolving.begin(request.actor, pull, Order(ours, theirs, chosen, message))
    except (Conflict, Unprocessable) as error:
        return pages.listed(request, pull, error=error, message=message)
    told = resolving.answer(job)
    if job.state in jobs.OPEN or told["state"] == "failed":
        return redirect("pulls:conflicts", owner, name, number)
    messages.success(request, "The conflicts are resolved.")
    return redirect(pull.issue)


def _listing(request: HubRequest, pull: PullRequest) -> Listing:
    ours, theirs = listing.tips(pull)
    found = listing.listing(pull, ours, theirs, user_id=request.actor.user_id)
    if found is None:
        raise Conflict("The conflicts are being looked at.", details="Go back and send this again in a moment.")
    return found


def _made(request: HubRequest) -> dict[int, Choice]:
    """choice-<place> and text-<place> of a form; places left open are left out."""
    made = {}
    for field, word in request.POST.items():
        start, _, place = field.partition("-")
        if start == "choice" and (number := whole(place)) is not None:
            text = request.POST.get(f"text-{place}", "") if word in {"value", "both"} else ""
            made[number] = Choice(str(word), str(text))
    return made


def _onwards(request: HubRequest, pull: PullRequest, found: Listing, file: File, page: int) -> HttpResponseRedirect:
    """To the next page of the file, the next file with something to decide, or the list when all is decided."""
    place = [pull.repository.owner.name, pull.repository.name, pull.number]
    left = choosing.undecided(pull, request.actor.user, found)
    if left[file.digest]:
        following = page + 1 if page * pages.PAGE < file.total else 1
        return redirect(f"{reverse('pulls:conflict', args=[*place, file.digest])}?page={following}")
    following_file = next((each for each in found.files if left[each.digest]), None)
    if following_file:
        return redirect("pulls:conflict", *place, following_file.digest)
    return redirect("pulls:conflicts", *place)
