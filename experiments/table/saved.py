"""Views of the table by name, and what a repository agreed on: default view, baseline, directions of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from experiments.directions import MAX, MIN
from experiments.models import SavedView, TableSettings
from experiments.table.models import MOST_QUERY_CHARACTERS
from experiments.table.state import PLACES
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Conflict, Invalid, NotFound, Unprocessable
from repos.models import Repository

MOST_VIEWS = 200  # of a person in a repository
MOST_DIRECTIONS = 2000


def views(repository: Repository, actor: Actor) -> list[SavedView]:
    """Those that an actor may use: shared ones and their own, by name."""
    return list(_usable(repository, actor).select_related("owner").order_by("name")[:MOST_VIEWS])


def view(repository: Repository, actor: Actor, number: int) -> SavedView:
    """Raises NotFound, also for somebody else's private one."""
    found = _usable(repository, actor).filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such view here.")
    return found


def _usable(repository: Repository, actor: Actor) -> QuerySet[SavedView]:
    mine = Q(shared=True) | Q(owner=actor.user) if actor.user else Q(shared=True)
    return SavedView.objects.filter(mine, repository=repository)


def save(repository: Repository, user: User, name: str, query: str, *, shared: bool) -> SavedView:
    """Under a name of one's own: what was there by that name is replaced. Raises Unprocessable, Conflict."""
    name = " ".join(name.split())
    if not name or len(name) > 100 or "\0" in name:
        raise Unprocessable("A view needs a name of at most 100 characters.")
    kept = lasting(query)
    if len(kept) > MOST_QUERY_CHARACTERS:
        raise Unprocessable("This view is too long to keep.", details="Choose fewer columns or a shorter filter.")
    if SavedView.objects.filter(repository=repository, owner=user).count() >= MOST_VIEWS:
        raise Unprocessable(f"You have {MOST_VIEWS} views here.", details="Delete one first.")
    try:
        with transaction.atomic():
            view, _ = SavedView.objects.update_or_create(
                repository=repository, owner=user, name=name, defaults={"query": kept, "shared": shared}
            )
            if not shared:  # nobody else sees it any more
                TableSettings.objects.filter(view=view).update(view=None)
            return view
    except IntegrityError as error:
        raise Conflict(f"Somebody else shares a view called {name!r}.", details="Choose another name.") from error


def lasting(query: str) -> str:
    """An address without its place, in one order: what of it is a view."""
    pairs = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in PLACES]
    return urlencode(sorted((name, value) for name, value in pairs if name != "view" and "\0" not in name + value))


def make_default(repository: Repository, chosen: SavedView | None) -> None:
    """What the table shows by itself. Raises Unprocessable for a private view, which others cannot see."""
    if chosen is not None and not chosen.shared:
        raise Unprocessable("Only a shared view can be everybody's first.", details="Share it first.")
    TableSettings.objects.update_or_create(repository=repository, defaults={"view": chosen})


def keep_baseline(repository: Repository, run_id: str) -> None:
    """For everybody who names none; "" for none."""
    TableSettings.objects.update_or_create(repository=repository, defaults={"baseline": run_id})


def declare(repository: Repository, given: Mapping[str, str]) -> None:
    """given: metric → "min", "max" or "", which leaves it to its name. Raises Invalid, Unprocessable."""
    if any(way not in {MIN, MAX, ""} or not 0 < len(metric) <= 250 or "\0" in metric for metric, way in given.items()):
        raise Invalid("A metric gets better as it grows (max) or falls (min).", details="Choose one of the two.")
    with transaction.atomic():
        TableSettings.objects.get_or_create(repository=repository)
        agreed = TableSettings.objects.select_for_update().get(repository=repository)
        merged = {metric: way for metric, way in {**agreed.directions, **given}.items() if way}
        if len(merged) > MOST_DIRECTIONS:
            raise Unprocessable(f"At most {MOST_DIRECTIONS:,} metrics can be declared.")
        agreed.directions = merged
        agreed.save(update_fields=["directions"])
