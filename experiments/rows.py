"""The rows of the table of runs as HTML, made in Python: 100 runs of 40 columns through template tags take too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.safestring import SafeString, mark_safe

from experiments import deltas
from experiments.directions import direction
from experiments.runs import Run
from experiments.shapes import value_of
from experiments.table.addresses import link
from experiments.table.columns import Column
from experiments.table.state import Look
from experiments.table.tree import Nest
from hub.templatetags.covey import duration, measured, run_status, short
from repos.rows import when

NAME_CHARACTERS, EXPERIMENT_CHARACTERS = 60, 40
LONG = 27  # characters of a value that may be too wide for its column
Cell = Callable[[Run], str]


@dataclass(frozen=True)
class Table:
    """What rows are made with. url: of the repository; commits: run id → the commit of this repository that it is
    bound to; logged: run id of one made from git → ids of those logged at its commit; baseline: the run that metrics
    are measured against. nests, opened: see listing; here: the address without open=."""

    url: str
    columns: Sequence[Column]
    look: Look = field(default_factory=Look)
    commits: Mapping[str, str] = field(default_factory=dict)
    logged: Mapping[str, Sequence[str]] = field(default_factory=dict)
    baseline: Run | None = None
    directions: Mapping[str, str] = field(default_factory=dict)
    nests: Mapping[str, Nest] = field(default_factory=dict)
    opened: Sequence[str] = ()
    here: str = "?"


def html(runs: Iterable[Run], table: Table) -> SafeString:
    nothing = Nest()
    rows = (_row(run, table, _open(run, table, table.nests.get(run.run_id, nothing))) for run in runs)
    return _made(rows, table)


def pinned(runs: Iterable[Run], table: Table, *, unpin: Mapping[str, str]) -> SafeString:
    """The rows above every page. unpin: run id → the address without it."""
    return _made((_row(run, table, _pin(run, table, unpin[run.run_id])) for run in runs), table)


def _made(rows: Iterable[tuple[str, Run]], table: Table) -> SafeString:
    now = time.time()
    cells = [(classes(column, table.look, cell=True), _maker(column, table, now)) for column in table.columns]
    done = (f"{head}{''.join([f'<td{look}>{make(run)}</td>' for look, make in cells])}</tr>\n" for head, run in rows)
    return mark_safe("".join(done))  # noqa: S308  # escaped below


def classes(column: Column, look: Look, *, cell: bool = False) -> str:
    """The class attribute of a column's head or of its cells: of these most are values, which need none."""
    found = ["nowrap"] if column.kind == "attributes" else [] if cell else ["number"]
    if column.name in look.fixed:
        found.append(f"fixed fixed-{look.fixed.index(column.name) + 1}")
    if column.name in look.widths:
        found.append("sized")
    return f' class="{" ".join(found)}"' if found else ""


def _row(run: Run, table: Table, marks: tuple[str, str, str]) -> tuple[str, Run]:
    """The beginning of a row: its box and its name. marks: attributes of the row, what is before and after the name."""
    name, (look, before, after) = _beginning(run.name, NAME_CHARACTERS), marks
    return (
        f'<tr{look}><td class="choose"><input type="checkbox" name="run" value="{escape(run.run_id)}" form="compare" '
        f'aria-label="Choose {name}"></td>'
        f'<th scope="row">{before}<a href="{table.url}/experiments/runs/{escape(run.run_id)}">{name}</a>{after}</th>'
    ), run


def _open(run: Run, table: Table, nest: Nest) -> tuple[str, str, str]:
    """How a row stands in the tree, with the way to open or close it."""
    look = " ".join([*([f"depth-{nest.depth}"] if nest.depth else []), *(["outside"] if nest.outside else [])])
    after = '<span class="visually-hidden">, only for runs inside it</span>' if nest.outside else ""
    if not nest.children:
        return f' class="{look}"' if look else "", "", after
    others = [one for one in table.opened if one != run.run_id]
    href = link(QueryDict(table.here[1:]), open=others if nest.open else [*others, run.run_id])
    word = "Hide" if nest.open else "Show"
    toggle = (
        f'<a class="nest" href="{escape(href)}#run-{run.run_id}" aria-expanded="{"true" if nest.open else "false"}" '
        f'aria-label="{word} {nest.children} inside {_beginning(run.name, NAME_CHARACTERS)}">'
        f"{'▾' if nest.open else '▸'} {nest.children}</a> "
    )
    return f' id="run-{run.run_id}"' + (f' class="{look}"' if look else ""), toggle, after


def _pin(run: Run, table: Table, unpin: str) -> tuple[str, str, str]:
    is_baseline = table.baseline is not None and run.run_id == table.baseline.run_id
    word = "Baseline" if is_baseline else "Pinned"
    look = ' class="pinned baseline"' if is_baseline else ' class="pinned"'
    close = (
        f' <span class="badge">{word} <a class="unpin" href="{escape(unpin)}" '
        f'aria-label="No longer {word.lower()}: {_beginning(run.name, NAME_CHARACTERS)}">×</a></span>'
    )
    return look, "", close


def _maker(column: Column, table: Table, now: float) -> Cell:
    """What makes a column's cells, chosen once for all rows."""
    if column.kind == "attributes":
        return _attribute(column.key, table, now)
    value = value_of(column)
    if column.kind != "metrics":
        return lambda run: _shown(measured(value(run)))
    if table.baseline is None or column.aggregate == "best_step":
        return lambda run: measured(value(run))
    own, base = table.baseline.run_id, value(table.baseline)
    better = direction(column.key, table.directions)
    return lambda run: _against(value(run), None if run.run_id == own else base, better)


@lru_cache(maxsize=16_384)  # params say the same in many runs
def _shown(text: str) -> str:
    """Cut where it may be too wide for its column."""
    return escape(text) if len(text) <= LONG and text.isascii() else f'<div class="cut">{escape(text)}</div>'


def _against(value: float | str | None, base: float | str | None, better: str) -> str:
    if not isinstance(value, float) or not isinstance(base, float):
        return measured(value)
    return f"{measured(value)}{deltas.html(value, base, better)}"


def _attribute(key: str, table: Table, now: float) -> Cell:
    makers: dict[str, Cell] = {
        "status": lambda run: run_status(run.status),
        "user": lambda run: escape(run.user),
        "started": lambda run: when(int(run.started.timestamp()), now) if run.started else "",
        "ended": lambda run: when(int(run.ended.timestamp()), now) if run.ended else "",
        "duration": lambda run: duration(run.duration),
        "experiment": lambda run: _beginning(run.experiment, EXPERIMENT_CHARACTERS),
        "commit": lambda run: _commit(table.commits.get(run.run_id, ""), table.url) + _logged(run, table),
        "data": lambda run: _data(run, table),
        "source": lambda run: escape(run.source_label),
        "id": lambda run: f'<span class="mono">{escape(run.run_id)}</span>',
    }
    return makers[key]


def _commit(sha: str, url: str) -> str:
    return f'<a class="mono" href="{url}/commit/{escape(sha)}">{escape(short(sha))}</a>' if sha else ""


def _data(run: Run, table: Table) -> str:
    """A link to the data of the run's commit."""
    sha, told = table.commits.get(run.run_id, ""), escape(run.data)
    return f'<a href="{table.url}/data/{escape(sha)}">{told}</a>' if sha and told else told


def _logged(run: Run, table: Table) -> str:
    """A link to what MLflow's clients logged at the commit of a run that was made from it."""
    found = table.logged.get(run.run_id, ())
    if not found:
        return ""
    if len(found) == 1:
        return f' <a href="{table.url}/experiments/runs/{escape(found[0])}">logged run</a>'
    return f' <a href="{table.url}/experiments?{urlencode({"q": f"commit = {run.commit}"})}">{len(found)} logged</a>'


def _beginning(text: str, characters: int) -> str:
    return escape(text if len(text) <= characters else f"{text[: characters - 1]}…")
