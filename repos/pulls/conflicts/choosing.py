"""What somebody has chosen so far: kept place by place, so that a hundred thousand can be decided in pages."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Length

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Denied, NotFound, Unauthenticated, Unprocessable
from repos import access
from repos.access import Area
from repos.pulls import origins, rights
from repos.pulls.conflicts import places
from repos.pulls.conflicts.files import File
from repos.pulls.conflicts.listing import Listing
from repos.pulls.conflicts.models import REST, Chosen
from repos.pulls.drivers import SIDES, Choice, Choices
from repos.pulls.models import PullRequest

MAX_TEXT_CHARACTERS = 200_000
MAX_ALL_CHARACTERS = 10_000_000  # of one person in one request: all of it becomes the order of one job
BATCH = 200


def chooser(actor: Actor, pull: PullRequest) -> User:
    """Who may resolve: they write the request's branch. Raises Unauthenticated, Denied, NotFound, Unprocessable."""
    user = rights.writing_head(actor, pull)
    if not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.")
    if pull.claimed:
        raise Denied("This is being merged right now.", details="Look again in a moment.")
    return user


def require_shown(actor: Actor, pull: PullRequest, file: File) -> None:
    """Before the places of a file are shown. Raises Denied where they hold data that this actor may not read: that of a
    fork is the fork's until it is merged."""
    if file.opened is None or not file.opened.stored:
        return
    access.require_scope(actor, Area.DATA, write=False)
    if pull.head_repository is not None and origins.data_of(actor, pull) != pull.head_repository:
        raise Denied("This data lies in a fork that you may not read.", details="Ask whoever may to resolve it.")


def may_choose(actor: Actor, pull: PullRequest) -> bool:
    try:
        chooser(actor, pull)
    except (Unauthenticated, Denied, NotFound, Unprocessable):
        return False
    return True


def chosen(pull: PullRequest, user: User, file: File, numbers: range | None = None) -> Choices:
    """What this person chose in a file, or only at these places (and for the rest)."""
    rows = Chosen.objects.filter(pull=pull, user=user, file=file.digest)
    if numbers is not None:
        rows = rows.filter(place__in=[REST, *numbers])
    found = {place: Choice(word, text) for place, word, text in rows.values_list("place", "word", "text")}
    rest = found.pop(REST, None)
    return Choices(found, rest.word if rest else "")


def undecided(pull: PullRequest, user: User | None, listing: Listing) -> dict[str, int]:
    """Places without a choice, by the digest of their file."""
    left = {file.digest: file.total for file in listing.files}
    if user is None:
        return left
    rows = Chosen.objects.filter(pull=pull, user=user, file__in=left)
    for digest, count in rows.exclude(place=REST).values_list("file").annotate(Count("pk")):
        left[digest] = max(0, left[digest] - count)
    for digest in rows.filter(place=REST).values_list("file", flat=True):
        left[digest] = 0
    return left


def save(pull: PullRequest, user: User, listing: Listing, file: File, made: Mapping[int, Choice]) -> dict[int, str]:
    """Keep choices, all or none; what is wrong with them, by the number of the place. Raises Unprocessable."""
    wrong = check(pull, listing, file, made)
    if wrong:
        return wrong
    kept = Chosen.objects.filter(pull=pull, user=user).aggregate(all=Sum(Length("text")))["all"] or 0
    if kept + sum(len(choice.text) for choice in made.values()) > MAX_ALL_CHARACTERS:
        raise Unprocessable(
            f"What you typed here has more than {MAX_ALL_CHARACTERS:,} characters in all.",
            details="Resolve these conflicts on your machine, then push.",
        )
    rows = [
        Chosen(pull=pull, user=user, file=file.digest, place=place, word=choice.word, text=choice.text)
        for place, choice in made.items()
    ]
    Chosen.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["pull", "user", "file", "place"],
        update_fields=["word", "text"],
        batch_size=500,
    )
    return {}


def check(pull: PullRequest, listing: Listing, file: File, made: Mapping[int, Choice]) -> dict[int, str]:
    """What is wrong with choices. Raises Unprocessable on places that there are not."""
    for number, choice in made.items():
        if not 0 <= number < file.total:
            raise Unprocessable(
                f"'{file.path_shown}' has no place {number}.", details=f"Its places are 0 to {file.total - 1:,}."
            )
        if len(choice.text) > MAX_TEXT_CHARACTERS:
            return {number: f"A text may have {MAX_TEXT_CHARACTERS:,} characters here."}
    wrong: dict[int, str] = {}
    for start in sorted({number // BATCH * BATCH for number in made}):
        some = {number: choice for number, choice in made.items() if start <= number < start + BATCH}
        page = places.of(pull.repository, listing, file, start, BATCH)
        wrong |= places.problems(pull.repository, file, page, some)
    return wrong


def save_all(pull: PullRequest, user: User, file: File, word: str) -> None:
    """One side for every place of a file, in the place of all that was chosen in it. word "": decide them anew."""
    if word and word not in SIDES:
        raise Unprocessable(f"All places take one of {', '.join(SIDES)}.")
    with transaction.atomic():
        Chosen.objects.filter(pull=pull, user=user, file=file.digest).delete()
        if word:
            Chosen.objects.create(pull=pull, user=user, file=file.digest, place=REST, word=word)


def forget(pull: PullRequest) -> None:
    """After it was resolved, merged or closed."""
    Chosen.objects.filter(pull=pull).delete()
