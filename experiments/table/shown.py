"""What the template of the table is given: rows, header, and where every control leads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.safestring import SafeString

from experiments import asking, commits, rows
from experiments.directions import direction, guessed
from experiments.filters.errors import FilterError
from experiments.listing import Page, Query
from experiments.models import TableSettings
from experiments.runs import Run
from experiments.table import groups, heads, hiding, saved, snippet, state
from experiments.table.addresses import added, kept, link
from experiments.table.columns import ATTRIBUTES, Column, shown, written
from experiments.table.groups import Group, Groups
from experiments.table.tree import Nest
from experiments.tracked import joined, marks
from hub.accounts.actor import Actor
from repos.models import Access, Repository

CONTROLS = ("q", "experiment", "show", "group", "flat")  # fields of the form above the table
FORMATS = {"csv": "CSV", "parquet": "Parquet", "json": "JSON"}


def table(agreed: TableSettings, given: QueryDict, query: Query, page: Page) -> dict[str, Any]:
    repository, look = agreed.repository, state.look(given)
    everything = [*page.pinned, *page.rows]
    bound = commits.bind(repository, {row.run_id: row.commit for row in everything})
    sources = any(run.source != marks.LOGGED for run in everything)
    data = any(run.data for run in everything)
    columns = look.ordered(shown(query.columns, page.columns, sources=sources, data=data))
    baseline = _baseline(agreed, given, page)
    made = rows.Table(
        repository.get_absolute_url(), columns, look, bound, baseline=baseline, directions=agreed.directions,
        logged=joined.logged(repository, everything), nests=page.nests, opened=query.opened,
        here=link(given, open=None),
    )  # fmt: skip
    here = link(given, after=None, before=None)
    base = link(given, sort=None, after=None, before=None)
    way = repository.full_name, base, columns, look
    return {
        "page": page,
        "query": query,
        "rows": _rows(page, made),
        "pinned_rows": rows.pinned(page.pinned, made, unpin=_unpin(given, page.pinned, baseline)),
        "heads": _drawn(page, "heads", way, lambda: heads.heads(base, query, columns, look)),
        "kinds": heads.kinds(columns),
        "name_head": heads.sorting(base, query, "name"),
        "chosen": _drawn(page, "chosen", way, lambda: _chosen(look, [column.name for column in columns])),
        "previous": added(here, before=page.previous) if page.previous else "",
        "next": added(here, after=page.next) if page.next else "",
        "total": page.total,
        "experiments": page.experiments,
        "baseline": baseline,
        "is_agreed": baseline is not None and baseline.run_id == agreed.baseline,
        "ways": _ways(columns, agreed) if baseline else [],
        "files": [(label, added(here, format=word)) for word, label in FORMATS.items()],
        "python": _drawn(page, "python", way, lambda: _python(repository, query, columns, page)),
        "some": bool(page.total or set(given) & {*CONTROLS, *state.PLACES}),
    }


def _rows(page: Page, made: rows.Table) -> str:
    """Their times are told anew every minute ("5 minutes ago")."""
    return _drawn(page, "rows", (made, int(time.time() // 60)), lambda: rows.html(_below(page), made))


def _below(page: Page) -> list[Run]:
    """The rows of the page without those that stand above it already, but for families: they stay together."""
    above, alone = {run.run_id for run in page.pinned}, Nest()
    return [run for run in page.rows if run.run_id not in above or page.nests.get(run.run_id, alone) != alone]


def _drawn(page: Page, part: str, way: object, make: Callable[[], str]) -> str:
    """A part of what the table is made of, kept with the page (that of one query) until it is shown in another way."""
    kept = page.drawn.get(part)
    if kept is None or kept[0] != way:
        kept = page.drawn[part] = way, make()
    return kept[1]


def _python(repository: Repository, query: Query, columns: Sequence[Column], page: Page) -> str:
    return snippet.python(query, tracking_uri(repository), columns, [run.run_id for run in page.rows])


def grouped(agreed: TableSettings, given: QueryDict, query: Query, found: Groups, number: int) -> dict[str, Any]:
    here = link(given, page=None, sort=None)
    return {
        "groups": [_group(group, found, given, agreed) for group in found.rows],
        "by": [(name, *heads.sorting(here, query, name)) for name in found.by],
        "runs_head": heads.sorting(here, query, "runs"),
        "group_heads": [(key, *heads.sorting(here, query, written("metrics", key))) for key in found.metrics],
        "previous": link(given, page=number - 1) if number > 1 else "",
        "next": link(given, page=number + 1) if number * groups.PAGE_GROUPS < found.total else "",
        "total": found.total,
        "experiments": found.experiments,
        "query": query,
        "some": True,
    }


def refused(given: QueryDict, error: FilterError) -> dict[str, Any]:
    """The same page with the place of the error marked, and no runs."""
    text, at = given.get("q", ""), error.position
    marked = {"before": text[max(0, at - 60) : at], "at": text[at : at + 1], "after": text[at + 1 : at + 60]}
    return {"error": error, "marked": marked, "some": True}


def frame(agreed: TableSettings, actor: Actor, given: QueryDict) -> dict[str, Any]:
    repository, look = agreed.repository, state.look(given)
    asked = saved.lasting(given.urlencode())
    views = [(view, view.pk == agreed.view_id, view.query == asked) for view in saved.views(repository, actor)]
    return {
        "repository": repository,
        "tab": "experiments",
        "q": given.get("q", ""),
        "show": given.get("show", ""),
        "shows": hiding.SHOWN,
        "group": given.get("group", ""),
        "groupable": [
            *groups.BY,
            *(name for name in asking.columns(given) or () if name.startswith(("params", "tag"))),
        ],
        "flat": given.get("flat") == "1",
        "kept": kept(given, *CONTROLS, *state.PLACES, "open"),
        "address": link(given, **dict.fromkeys(state.PLACES))[1:],
        "attributes": list(ATTRIBUTES),
        "chosen": lambda: _chosen(look, asking.columns(given) or ()),  # where no table says which
        "column_item": heads.item(),
        "experiment_id": given.get("experiment", ""),
        "tracking_uri": tracking_uri(repository),
        "views": views,
        "view_name": next((view.name for view, _, current in views if current), ""),
        "signed_in": actor.user is not None,
        "writes": actor.user is not None and repository.granted >= Access.WRITE,
        "administers": repository.granted >= Access.ADMIN,
        "user_id": actor.user_id,
    }


def _chosen(look: state.Look, names: Sequence[str]) -> SafeString:
    return heads.items((name, name in look.fixed, look.widths.get(name, "")) for name in names)


def tracking_uri(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/{repository.full_name}.mlflow"


def _baseline(agreed: TableSettings, given: QueryDict, page: Page) -> Run | None:
    wanted = given.get("baseline", agreed.baseline)
    return next((run for run in page.pinned if run.run_id == wanted), None)


def _unpin(given: QueryDict, pinned: list[Run], baseline: Run | None) -> dict[str, str]:
    """run id → the address without it. An empty baseline= leaves out the repository's own too."""
    others = {run.run_id: [one for one in given.getlist("pinned") if one != run.run_id] for run in pinned}
    changes = {run_id: {"pinned": rest} for run_id, rest in others.items()}
    found = {run_id: link(given, **change) for run_id, change in changes.items()}
    if baseline is not None:
        found[baseline.run_id] = link(given, baseline="", pinned=others[baseline.run_id])
    return found


def _ways(columns: list[Column], agreed: TableSettings) -> list[tuple[str, str, str]]:
    """(metric, which way it gets better, what its name alone says) of each that is shown."""
    keys = dict.fromkeys(column.key for column in columns if column.kind == "metrics")
    return [(key, agreed.directions.get(key, ""), guessed(key)) for key in keys]


def _group(group: Group, found: Groups, given: QueryDict, agreed: TableSettings) -> dict[str, Any]:
    asked = groups.filter_of(found.by, group, given.get("q", ""))
    return {
        "key": group.key,
        "runs": group.runs,
        "href": link(given, group=None, page=None, sort=None, q=asked) if asked else "",
        "metrics": [(group.metrics.get(key), direction(key, agreed.directions)) for key in found.metrics],
    }
