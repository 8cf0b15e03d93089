"""Places as people read them: in the words of their branches, with the addresses of what can be looked at."""

from __future__ import annotations

from typing import Any

from repos.git.read import shown
from repos.mediatypes import INLINE
from repos.place import url
from repos.pulls import branches
from repos.pulls.conflicts.listing import Listing
from repos.pulls.drivers import SIDES, Choice, Choices, Place
from repos.pulls.models import PullRequest


def row(
    pull: PullRequest,
    found: Listing,
    place: Place,
    kept: Choices | None,
    typed: dict[int, Choice],
    wrong: dict[int, str],
) -> dict[str, Any]:
    choice = typed.get(place.number) or (kept.of(place.number) if kept else None)
    return {
        "place": place,
        "sides": [_side(pull, found, place, word) for word in ("ours", "theirs", "base")],
        "more": [(word, _label(pull, place, word)) for word in place.may if word not in {*SIDES, "value"}],
        "base_may": "base" in place.may,
        "word": choice.word if choice else "",
        "text": choice.text if choice and choice.text else place.suggested,
        "wrong": wrong.get(place.number, ""),
    }


def _side(pull: PullRequest, found: Listing, place: Place, word: str) -> dict[str, Any]:
    value = getattr(place, word)
    names = {"ours": shown(pull.head), "theirs": shown(pull.base), "base": "Before"}
    side = {
        "word": word,
        "name": names[word],
        "what": {"ours": "this pull request", "theirs": "where it goes", "base": "what both began with"}[word],
        "label": _label(pull, place, word),
        "absent": value is None,
        "value": value,
        "may": word in place.may,
        "facts": isinstance(value, dict),
    }
    if place.path and value is not None:
        commits = {"ours": found.ours, "theirs": found.theirs}
        commit = commits.get(word) or branches.parted(pull.repository, found.theirs, found.ours)
        side["url"] = url(pull.repository, "blob", commit, place.path)
        if INLINE.get(place.path.rpartition(".")[2].lower(), "").startswith("image/"):
            side["picture"] = url(pull.repository, "datasets/thumbnail", commit, place.path)
    return side


def _label(pull: PullRequest, place: Place, word: str) -> str:
    """What a choice does, in a few words."""
    head, base = shown(pull.head), shown(pull.base)
    absent = word in SIDES and getattr(place, word) is None
    if absent and place.kind != "lines":
        return {"ours": f"Leave it out, as {head} does", "theirs": f"Leave it out, as {base} does"}.get(
            word, "Leave it out, as before"
        )
    if word == "both" and place.kind == "file":
        return f"Keep both: {base}'s under another name"
    return {
        "ours": f"Keep {head}'s",
        "theirs": f"Take {base}'s",
        "base": "Go back to before",
        "both": f"Both, {head}'s first",
        "both-theirs-first": f"Both, {base}'s first",
        "remove": "Remove it",
    }[word]
