"""The labels of a repository: a name, a colour, what it means."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from hub.accounts.actor import Actor
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos.issues.models import Label
from repos.issues.rights import triaging
from repos.issues.texts import checked, checked_name
from repos.models import Repository

MOST = 500  # of a repository
GREY = "ededed"  # what GitHub gives a label that nobody chose a colour for
_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})")
# What the labels page offers a repository that has none yet.
SUGGESTED = (
    ("bug", "d73a4a", "Something does not work"),
    ("bad data", "b35900", "Rows, images or labels that are wrong"),
    ("experiment", "0072b2", "Something to try out"),
    ("enhancement", "007a5a", "Something new or better"),
    ("documentation", "6b5b95", "What is written about it"),
    ("question", "a64d79", "Somebody wants to know"),
)


def listed(repository: Repository) -> QuerySet[Label]:
    return Label.objects.filter(repository=repository).order_by("name_key")


def create(actor: Actor, repository: Repository, *, name: str, colour: str = "", description: str = "") -> Label:
    """Raises Unprocessable, or Conflict when there is one of this name."""
    triaging(actor, repository)
    fields = _checked(name, colour or "6b5b95", description)
    if listed(repository).count() >= MOST:
        raise _too_many()
    try:
        with transaction.atomic():
            return Label.objects.create(repository=repository, **fields)
    except IntegrityError as error:
        raise _taken(name) from error


def suggest(actor: Actor, repository: Repository) -> None:
    """Make those of the suggested labels that are missing."""
    triaging(actor, repository)
    rows = (Label(repository=repository, **_checked(*one)) for one in SUGGESTED)
    Label.objects.bulk_create(rows, ignore_conflicts=True)


def change(
    actor: Actor, label: Label, *, name: str | None = None, colour: str | None = None, description: str | None = None
) -> None:
    """Change what is not None. Raises Unprocessable or Conflict."""
    triaging(actor, label.repository)
    fields = _checked(
        label.name if name is None else name,
        label.colour if colour is None else colour,
        label.description if description is None else description,
    )
    try:
        with transaction.atomic():
            Label.objects.filter(pk=label.pk).update(**fields)
    except IntegrityError as error:
        raise _taken(fields["name"]) from error


def remove(actor: Actor, label: Label) -> None:
    """Every issue loses it."""
    triaging(actor, label.repository)
    label.delete()


def label_of(repository: Repository, label_id: int) -> Label:
    found = Label.objects.filter(repository=repository, pk=min(label_id, 2**63 - 1)).first()
    if found is None:
        raise NotFound("That label does not exist.")
    found.repository = repository
    return found


def named(repository: Repository, names: Collection[str]) -> list[Label]:
    """Raises NotFound on a name that no label has."""
    keys = {checked(name, "The label's name").strip().lower() for name in names}
    found = list(Label.objects.filter(repository=repository, name_key__in=keys))
    if missing := keys - {label.name_key for label in found}:
        raise NotFound(
            f"There is no label {sorted(missing)[0][:50]!r}.", details="Make it on the page of labels first."
        )
    return found


def named_or_new(actor: Actor, repository: Repository, names: Collection[str]) -> list[Label]:
    """As GitHub's API has it: a name that no label has becomes one. Raises Unprocessable; Denied for a new one."""
    rows = [Label(repository=repository, **_checked(name, GREY, "")) for name in names]
    have = set(
        listed(repository).filter(name_key__in={row.name_key for row in rows}).values_list("name_key", flat=True)
    )
    if new := {row.name_key: row for row in reversed(rows) if row.name_key not in have}:
        triaging(actor, repository)
        if listed(repository).count() + len(new) > MOST:
            raise _too_many()
        Label.objects.bulk_create(new.values(), ignore_conflicts=True)  # somebody else may make it at this moment
    return named(repository, [row.name for row in rows])


def _checked(name: str, colour: str, description: str) -> dict[str, str]:
    name = checked_name(name, "The label's name")
    description = " ".join(checked(description, "The text").split())
    match = _COLOUR.fullmatch(colour.strip())
    if len(name) > 50 or '"' in name:
        raise Unprocessable("A label's name has 1 to 50 characters and no quotes.")
    if match is None:
        raise Unprocessable("A colour is six hexadecimal digits.", details="For example b35900.")
    if len(description) > 100:
        raise Unprocessable("A label's description has at most 100 characters.")
    return {"name": name, "name_key": name.lower(), "colour": match[1].lower(), "description": description}


def _too_many() -> Unprocessable:
    return Unprocessable(f"A repository has at most {MOST} labels.", details="Remove one that nobody uses.")


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a label {name[:50]!r} already.", details="Choose another name.")
