"""What has to be decided in a file, a page at a time, whoever knows its form."""

from __future__ import annotations

from hub.lib.errors import Unprocessable
from repos.git.writing import TreeFile
from repos.issues.texts import checked
from repos.models import Repository
from repos.pulls import drivers
from repos.pulls.conflicts import files, texts
from repos.pulls.conflicts.files import DATA, TEXT, File
from repos.pulls.conflicts.listing import Listing
from repos.pulls.drivers import Choice, Driver, Place

_MODES = {0o100644: "a file", 0o100755: "an executable file", 0o120000: "a symbolic link", 0o160000: "a submodule"}


def of(repository: Repository, listing: Listing, file: File, start: int, limit: int) -> list[Place]:
    """Raises drivers.NotKept."""
    if file.kind not in {TEXT, DATA}:
        return [_whole(file)][start : start + limit]
    sides = files.sides_of(repository, file, listing.ours, listing.theirs)
    if file.kind == TEXT:
        return texts.places(repository, sides, start, limit)
    assert file.opened
    return driver_of(file).places(repository, sides, file.opened, start, limit)


def driver_of(file: File) -> Driver:
    driver = drivers.driver_for(file.path)
    assert driver, "what was opened by a driver is known to one"
    return driver


def problems(repository: Repository, file: File, places: list[Place], chosen: dict[int, Choice]) -> dict[int, str]:
    """What is wrong with choices, by the number of the place; those of other places are left alone."""
    found = {}
    for place in places:
        choice = chosen.get(place.number)
        if choice and choice.word not in place.may:
            found[place.number] = f"Choose one of {', '.join(place.may)}."
        elif choice:
            try:
                checked(choice.text, "The text")
            except Unprocessable as error:
                found[place.number] = error.message
    if file.kind == DATA:
        typed = {number: choice for number, choice in chosen.items() if number not in found}
        found |= driver_of(file).check(repository, places, typed)
    return found


def _whole(file: File) -> Place:
    """Of what git cannot take apart: one side, or none."""
    both = file.ours is not None and file.theirs is not None
    words = ["ours", "theirs"]
    words += ["base"] if file.base not in {None, file.ours, file.theirs} else []
    words += ["remove"] if both else []
    base, ours, theirs = (_told(file, word) for word in ("base", "ours", "theirs"))
    return Place(0, "file", "the whole file", base, ours, theirs, tuple(words), path=file.path)


def _told(file: File, word: str) -> dict[str, object] | None:
    side: TreeFile | None = file.side(word)
    if side is None:
        return None
    what = _MODES.get(side.mode, "a file")
    return {"what": what, "mode": f"{side.mode:06o}", "sha": side.oid, "size": file.sizes.get(word)}
