"""What people must decide where data is merged, and the merged file that comes of what they chose.

The questions of a file are kept as lines of JSON, named by their content; how a file is gone through for them, and
again for the answers, is datasets.pulls.walking's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from datasets import objects, results, sandboxed
from datasets.dvc import keys, pointers
from datasets.dvc.documents import Malformed
from datasets.dvc.manifests import BadManifest
from datasets.dvc.merging import MergedFile
from datasets.pulls.walking import CHANGED, Deciding, Recording, is_name
from datasets.pulls.work import NotHere, push
from datasets.tables import places as kept
from datasets.tables.names import PLACES
from hub.lib.sandbox import Overrun, Unreadable
from repos.models import Repository
from repos.pulls.drivers import Beat, Choice, Choices, NotKept, Opened, Outcome, Place, Sides, Unfit

_FIELDS = {field.name for field in fields(Place)} - {"number"}


def opened(repository: Repository, sides: Sides, *, beat: Beat) -> Opened | None:
    """None for a table that nobody can take apart, and for what is none of DVC's: it is text then, or a whole."""
    work = Recording(repository, sides, beat)
    try:
        with results.work_folder() as folder:
            merged = work.go()
            if merged is None:
                return None
            total = kept.write(folder / PLACES, work.places)
            digest = hashlib.sha256((folder / PLACES).read_bytes()).hexdigest()
            results.keep(folder / PLACES, results.places_place(repository.pk, digest))
    except NotHere as error:
        return Opened(0, "", missing=(str(error),), command=push(sides.path))
    except (Malformed, BadManifest, ValueError):
        return None
    stored = pointers.is_pointer(sides.path)
    return Opened(total, digest, notes=notes(merged), stored=stored, facts={"asked": work.asked})


def places(repository: Repository, opened: Opened, start: int, limit: int) -> list[Place]:
    """Raises NotKept."""
    place = results.places_place(repository.pk, opened.digest)
    if not results.touch(place):
        raise NotKept
    found = [Place(number, **one) for number, one in enumerate(map(_fields, kept.read(place, start, limit)), start)]
    _add_sizes(repository, found)
    return found


def _fields(one: dict[str, Any]) -> dict[str, Any]:
    """As Place takes them. The lines of tables come from the sandbox, which does not know what may be chosen."""
    known = {name: value for name, value in one.items() if name in _FIELDS}
    if "may" not in known:
        words = ["ours", "theirs", *(["base"] if one.get("base") is not None else [])]
        typed = one["kind"] == "cell" and one.get("type")
        known["may"] = (*words, "value") if typed else words
        ours = one.get("ours")
        known["suggested"] = ours if typed and isinstance(ours, str) and not ours.endswith("…") else ""
    return known | {"may": tuple(known["may"])}


def _add_sizes(repository: Repository, found: list[Place]) -> None:
    sides = [side for place in found for side in (place.base, place.ours, place.theirs) if isinstance(side, dict)]
    named = [side for side in sides if "md5" in side]
    sizes = objects.sizes(repository.pk, keys.BUCKET, (keys.key_of(side["md5"]) for side in named))
    for side in named:
        side.setdefault("size", sizes.get(keys.key_of(side["md5"])))


def check(places: list[Place], choices: Mapping[int, Choice]) -> dict[int, str]:
    """What is wrong with typed values and names."""
    wrong = {}
    typed = []
    for place in places:
        choice = choices.get(place.number)
        if choice and choice.word == "both" and not is_name(choice.text or place.suggested):
            wrong[place.number] = "This is no name for a file inside of the folder."
        if choice and choice.word == "value":
            typed.append((place.number, place.type, choice.text))
    if typed:
        try:
            told = sandboxed.call("typed:wrong", typed=[[type_, text] for _, type_, text in typed])
        except (Overrun, Unreadable):
            told = ["This value could not be checked. Try a shorter one."] * len(typed)
        wrong |= {number: message for (number, _, _), message in zip(typed, told, strict=True) if message}
    return wrong


def resolved(repository: Repository, sides: Sides, opened: Opened, choices: Choices, *, beat: Beat) -> Outcome:
    """Raises Unfit, Busy."""
    work = Deciding(repository, sides, beat, opened, choices)
    try:
        merged = work.go()
    except NotHere as error:
        return Outcome(None, missing=(str(error),), command=push(sides.path))
    except (Malformed, BadManifest) as error:
        return Outcome(None, (f"It cannot be read as DVC's: {error}",))
    if merged is None or merged.conflicts:
        raise Unfit(CHANGED)
    return Outcome(merged.data, notes=notes(merged))


def notes(merged: MergedFile) -> tuple[str, ...]:
    return tuple(
        f"Both sides changed the inputs of the stage {each.where}: run dvc repro after the merge."
        for each in merged.needs_repro
    )
