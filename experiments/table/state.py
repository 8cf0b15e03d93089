"""What the table's address says besides its query; where it says nothing, what was agreed on and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import QueryDict

from experiments import asking
from experiments.models import ChosenColumns, TableSettings
from experiments.table.columns import Column
from hub.accounts.actor import Actor
from hub.lib.numbers import whole
from hub.lib.prepared import Prepared
from repos.models import Repository

MOST_FIXED = 5
WIDTHS = range(40, 801)  # pixels
COLUMN_FIELDS = ("columns", "column", "fixed", "width")  # of an address: what a choice of columns says
PLACES = ("after", "before", "page")


@dataclass(frozen=True)
class Look:
    """How columns are laid out. fixed: names of those that stay at the left. widths: name → pixels."""

    fixed: tuple[str, ...] = ()
    widths: dict[str, int] = field(default_factory=dict)

    def ordered(self, columns: Sequence[Column]) -> list[Column]:
        """Fixed ones first."""
        return sorted(columns, key=lambda column: column.name not in self.fixed)


def settings_of(repository: Repository) -> TableSettings:
    """A fresh one where nothing was agreed on yet."""
    found = _AGREED.first(repository.pk)
    if found is None:
        return TableSettings(repository=repository)
    found.repository = repository
    return found


_AGREED = Prepared(
    lambda repository_id: TableSettings.objects.filter(repository=repository_id).select_related("view"), int
)


def effective(given: QueryDict, actor: Actor, agreed: TableSettings) -> QueryDict:
    """What the table shows: an address that says nothing means the default view of the repository, and one that names
    no columns those that this person chose last."""
    found = given.copy()
    if not given and agreed.view is not None:
        found = QueryDict(agreed.view.query, mutable=True)
    if actor.user is not None and not any(name in found for name in ("columns", "column")):
        chosen = ChosenColumns.objects.filter(repository=agreed.repository, user=actor.user).first()
        for name, values in QueryDict(chosen.query if chosen else "").lists():
            found.setlist(name, values)
    return found


def remember(actor: Actor, repository: Repository, chosen: QueryDict) -> None:
    """Keep a choice of columns for a person; nothing for those who are not signed in."""
    if actor.user is None:
        return
    query = urlencode([(name, value) for name in COLUMN_FIELDS for value in chosen.getlist(name)])
    ChosenColumns.objects.update_or_create(repository=repository, user=actor.user, defaults={"query": query})


def forget(actor: Actor, repository: Repository) -> None:
    ChosenColumns.objects.filter(repository=repository, user=actor.user).delete()


def look(given: QueryDict) -> Look:
    """Of fixed=name and width=180:name; what is neither is left out."""
    widths = {}
    for said in given.getlist("width")[: asking.MAX_COLUMNS]:
        pixels, _, name = said.partition(":")
        if (width := whole(pixels)) is not None:
            widths[name] = max(WIDTHS[0], min(WIDTHS[-1], width))
    return Look(tuple(dict.fromkeys(given.getlist("fixed")))[:MOST_FIXED], widths)


def choice(form: QueryDict) -> QueryDict:
    """The columns that the chooser's form sent, as an address writes them: columns=name,a,b, fixed=a, width=180:a."""
    names = asking.columns(form) or ()
    chosen = QueryDict(mutable=True)
    chosen["columns"] = ",".join(dict.fromkeys(("name", *names)))
    chosen.setlist("fixed", [name for name in form.getlist("fixed") if name in names][:MOST_FIXED])
    widths = [(name, form.get(f"width.{name}", "")) for name in names]
    chosen.setlist("width", [f"{pixels}:{name}" for name, pixels in widths if pixels])
    return chosen
