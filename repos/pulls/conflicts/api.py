"""/pulls/{number}/conflicts, the places of one file in it, and /pulls/{number}/resolve.

ours: the branch of the pull request; theirs: the branch it asks to be merged into; base: what both began with.
"""

from __future__ import annotations

from typing import Any, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.api import page_of, valid, with_links
from hub.lib.api_schema import PAGES
from hub.lib.errors import Busy, Conflict, Denied, HubError, Invalid, NotFound, TooLarge, Unprocessable
from repos.api import gate
from repos.issues.api.shapes import url_of
from repos.pulls import opening
from repos.pulls.api.pulls import readable
from repos.pulls.conflicts import choosing, listing, places, resolving
from repos.pulls.conflicts.files import File
from repos.pulls.conflicts.listing import Listing
from repos.pulls.conflicts.resolving import AttemptObject, Order
from repos.pulls.drivers import SIDES, Choice, Choices, NotKept, Place
from repos.pulls.models import PullRequest

WORDS = (*SIDES, "both", "both-theirs-first", "remove", "value")
_ERRORS = {error.code: error for error in (Invalid, Denied, NotFound, Conflict, TooLarge, Unprocessable, Busy)}
LOOKING = {"state": "looking"}
SHA = "^[0-9a-f]{40}$"


class Side(TypedDict):
    """size: null where nobody has the bytes."""

    sha: str
    mode: str
    size: int | None


class ConflictFileObject(TypedDict):
    """A file in conflict; base, ours, theirs: null where it is not there."""

    id: str
    path: str
    kind: str
    why: str
    total: int
    places_url: str
    base: Side | None
    ours: Side | None
    theirs: Side | None
    notes: list[str]
    missing: list[str]
    command: str


class ConflictPlaceObject(TypedDict):
    """What has to be decided at one place: choices are the words that may be sent."""

    place: int
    kind: str
    where: Any
    base: Any
    ours: Any
    theirs: Any
    choices: list[str]
    type: str
    suggested: Any


class ConflictPlacesObject(ConflictFileObject):
    places: list[ConflictPlaceObject]


class ConflictsObject(TypedDict):
    state: str
    head_sha: str
    base_sha: str
    total: int
    files: list[ConflictFileObject]


class LookingObject(TypedDict):
    """A worker looks: ask again."""

    state: str


class ChoiceOfPlace(serializers.Serializer):
    """text: with "value" what to put there, with "both" the name of the other file."""

    place = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    choice = serializers.ChoiceField(choices=WORDS)
    text = serializers.CharField(
        allow_blank=True, default="", trim_whitespace=False, max_length=choosing.MAX_TEXT_CHARACTERS
    )


class ChoicesOfFile(serializers.Serializer):
    """path, or the id of the file in the list. choice: the side for every place that places does not name."""

    path = serializers.CharField(max_length=4_096, trim_whitespace=False, default="", allow_blank=True)
    id = serializers.CharField(max_length=64, default="", allow_blank=True)
    choice = serializers.ChoiceField(choices=SIDES, default="", allow_blank=True)
    places = ChoiceOfPlace(many=True, required=False)


class Resolution(serializers.Serializer):
    """head_sha, base_sha: the tips you have looked at; when one has moved the answer is 409 and nothing is done."""

    head_sha = serializers.RegexField(SHA)
    base_sha = serializers.RegexField(SHA)
    message = serializers.CharField(max_length=9_000, allow_blank=True, default="")
    files = ChoicesOfFile(many=True)


class PullConflicts(APIView):
    """The files in conflict, with the tips they are in conflict at; 202 while a worker looks."""

    answers = {"get": {200: ConflictsObject, 202: LookingObject}}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = opening.pull_of(readable(request, owner, name), number)
        found = _found(request, pull)
        if found is None:
            return _looking()
        page, limit = page_of(request)
        some = found.files[(page - 1) * limit : page * limit]
        answer = {
            "state": "ready",
            "head_sha": found.ours,
            "base_sha": found.theirs,
            "total": len(found.files),
            "files": [_file(pull, file) for file in some],
        }
        return with_links(Response(answer), request, more=len(found.files) > page * limit)


class ConflictPlaces(APIView):
    """What has to be decided in one file, a page at a time; 202 while a worker looks."""

    answers = {"get": {200: ConflictPlacesObject, 202: LookingObject}}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, number: int, digest: str) -> Response:
        pull = opening.pull_of(readable(request, owner, name), number)
        found = _found(request, pull)
        if found is None:
            return _looking()
        file, (page, limit) = found.find(digest), page_of(request)
        choosing.require_shown(gate.actor_of(request), pull, file)
        try:
            some = places.of(pull.repository, found, file, (page - 1) * limit, limit)
        except NotKept:
            user_id = gate.actor_of(request).user_id
            listing.look_again(pull, found.ours, found.theirs, user_id=user_id)
            return _looking()
        answer = {**_file(pull, file), "places": [_place(place) for place in some]}
        return with_links(Response(answer), request, more=file.total > page * limit)


class Resolve(APIView):
    """POST commits the merge of the base into the head with your choices: 200 when it is done, 202 while a worker does
    it. GET: the last attempt."""

    inputs = {"post": Resolution}
    answers = {"get": AttemptObject, "post": {200: AttemptObject, 202: AttemptObject | LookingObject}}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = opening.pull_of(readable(request, owner, name), number)
        attempts = Job.objects.filter(kind=resolving.RESOLVE, key__startswith=f"{resolving.RESOLVE}:{pull.pk}:")
        last = attempts.order_by("-created", "-pk").first()
        if last is None:
            raise NotFound("Nobody has resolved conflicts of this pull request.")
        return Response(resolving.answer(last))

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        gate.signed_in(request)
        pull, actor = opening.pull_of(readable(request, owner, name), number), gate.actor_of(request)
        choosing.chooser(actor, pull)
        asked = valid(Resolution, request)
        if listing.tips(pull) != (asked["head_sha"], asked["base_sha"]):
            raise Conflict(resolving.MOVED, details="Ask for the conflicts again.")
        found = _found(request, pull)
        if found is None:
            return _looking()
        order = Order(found.ours, found.theirs, _choices(pull, found, asked["files"]), asked["message"], via="api")
        job = resolving.begin(actor, pull, order)
        told = resolving.answer(job)
        if told["state"] == "failed":
            raise _ERRORS.get(int(told.get("code") or Busy.code), HubError)(told["error"], details=told["details"])
        return Response(told, status=202 if job.state in jobs.OPEN else 200)


def _found(request: Request, pull: PullRequest) -> Listing | None:
    if not pull.issue.is_open:
        raise Conflict(f"This pull request is {pull.issue.state} already.")
    ours, theirs = listing.tips(pull)
    return listing.listing(pull, ours, theirs, user_id=gate.actor_of(request).user_id)


def _looking() -> Response:
    return Response(LOOKING, status=202, headers={"Retry-After": "1"})


def _choices(pull: PullRequest, found: Listing, asked: list[dict[str, Any]]) -> dict[str, Choices]:
    """Raises NotFound (no such file), Unprocessable (no such place, or a choice that cannot be made there)."""
    made: dict[str, Choices] = {}
    by_id = {file.digest: file for file in found.files}
    by_path = {file.path_shown: file for file in found.files}
    for one in asked:
        file = by_id.get(one["id"]) or by_path.get(one["path"])
        if file is None:
            raise NotFound(f"'{one['path'][:200] or one['id']}' is not in conflict.")
        if file.digest in made:
            raise Unprocessable(f"'{file.path_shown}' is there twice.", details="Name each file once.")
        chosen = {each["place"]: Choice(each["choice"], each["text"]) for each in one.get("places", [])}
        if wrong := choosing.check(pull, found, file, chosen):
            number, why = min(wrong.items())
            raise Unprocessable(f"'{file.path_shown}', place {number}: {why}")
        made[file.digest] = Choices(chosen, one["choice"])
    return made


def _file(pull: PullRequest, file: File) -> ConflictFileObject:
    return {
        "id": file.digest,
        "path": file.path_shown,
        "kind": file.kind,
        "why": file.why,
        "total": file.total,
        "places_url": f"{url_of(pull.repository)}/pulls/{pull.number}/conflicts/{file.digest}",
        "base": _side(file, "base"),
        "ours": _side(file, "ours"),
        "theirs": _side(file, "theirs"),
        "notes": list(file.opened.notes) if file.opened else [],
        "missing": list(file.missing),
        "command": file.opened.command if file.opened else "",
    }


def _side(file: File, word: str) -> Side | None:
    side = file.side(word)
    return {"sha": side.oid, "mode": f"{side.mode:06o}", "size": file.sizes.get(word)} if side else None


def _place(place: Place) -> ConflictPlaceObject:
    return {
        "place": place.number,
        "kind": place.kind,
        "where": place.where,
        "base": place.base,
        "ours": place.ours,
        "theirs": place.theirs,
        "choices": list(place.may),
        "type": place.type,
        "suggested": place.suggested,
    }
