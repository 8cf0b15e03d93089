"""A pull request from a run: its commit on a branch, and a text with what the run changed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from django.conf import settings

from experiments import deltas
from experiments.details import inputs
from experiments.review import Review, review
from experiments.runs import Run
from experiments.table.state import settings_of
from hub.accounts.actor import Actor, Area
from hub.lib.errors import HubError, Lost
from repos import publishing
from repos.git.commands import GitError
from repos.git.read import shown
from repos.git.store import ZERO, RefChange, refs
from repos.issues.models import Entry, Issue, Thread
from repos.models import Repository
from repos.place import store_of
from repos.pulls import branches, opening
from repos.pulls.models import PullRequest

HEADS = "refs/heads/"
MOST_ROWS = 30  # of each table of the text
MOST_LOOKED_THROUGH = 2_000  # of the newest issues, and of the newest comments, whose texts may mention a run
MOST_LINKED = 20


def text_of(repository: Repository, found: Run, commit: str, base: str) -> str:
    """Markdown: where it comes from, metrics against the best runs of the base's commits, params, data it read."""
    known = review(repository, base, commit, settings_of(repository).directions)
    parts = [f"From the run {_link(repository, found)} (run:{found.run_id}) at commit {commit}."]
    if metrics := _metrics(found, known):
        parts.append(_table(["metric", "before", "this run", ""], metrics))
    if found.params:
        parts.append(_table(["parameter", "value"], [[key, value] for key, value in sorted(found.params.items())]))
    if data := inputs.of_run(repository, found.run_id):
        rows = [[one.path or one.name, one.digest[:12], one.context] for one in data]
        parts.append(_table(["data it read", "version", "for"], rows))
    return "\n\n".join(parts)


def branch_at(repository: Repository, commit: str) -> str:
    """The first branch by name whose tip it is, other than the default one; "" for none."""
    tips = refs(store_of(repository), HEADS)
    names = [ref.removeprefix(HEADS) for ref, tip in sorted(tips.items()) if tip == commit]
    return next((name for name in names if name != repository.default_branch), "")


def merged_already(repository: Repository, commit: str) -> bool:
    """Whether the default branch has its commit, so that a request for it would be refused."""
    try:
        tip = branches.tip(repository, repository.default_branch)
        return tip is not None and branches.merge_base(repository, tip, commit) == commit
    except (GitError, Lost):  # the page of a run needs no git
        return False


def propose(
    actor: Actor, repository: Repository, found: Run, commit: str, *, title: str, body: str, base: str
) -> PullRequest:
    """Where no branch ends at its commit, one is made; it goes again when the request cannot be opened.

    Raises what opening.open_pull raises, and Denied for a branch that somebody may not make.
    """
    if head := branch_at(repository, commit):
        return opening.open_pull(actor, repository, title=title, body=body, base=base, head=head)
    head = new_branch(found)
    publishing.publish(repository, actor, [RefChange(HEADS + head, ZERO, commit)])
    try:
        return opening.open_pull(actor, repository, title=title, body=body, base=base, head=head)
    except HubError:
        publishing.publish(repository, actor, [RefChange(HEADS + head, commit, ZERO)])
        raise


def new_branch(found: Run) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", found.name.lower()).strip("-")[:40]
    return f"run/{slug or 'of'}-{found.run_id[:8]}"


def linked(repository: Repository, actor: Actor, found: Run, commit: str) -> list[Issue]:
    """Pull requests that end at its commit or merged it, issues with comments on it, and the newest that name it, by
    `run:…` or by its address."""
    if not actor.has_scope(Area.ISSUES, write=False):
        return []
    here = Issue.objects.filter(repository=repository)
    ids = set(
        Thread.objects.filter(repository=repository, kind="run", path=found.run_id).values_list("issue", flat=True)
    )
    if commit:
        pulls = PullRequest.objects.filter(issue__repository=repository)
        ids |= set((pulls.filter(head_id=commit) | pulls.filter(merge_commit=commit)).values_list("pk", flat=True))
    newest = here.order_by("-number").values("pk")[:MOST_LOOKED_THROUGH]
    said = Issue.objects.filter(pk__in=newest, body__contains=found.run_id)
    ids |= set(said.values_list("pk", flat=True)[:MOST_LINKED])
    comments = Entry.objects.filter(issue__repository=repository).order_by("-pk").values("pk")[:MOST_LOOKED_THROUGH]
    ids |= set(
        Entry.objects.filter(pk__in=comments, body__contains=found.run_id).values_list("issue", flat=True)[:MOST_LINKED]
    )
    rows = list(here.filter(pk__in=ids).order_by("-number").defer("body")[:MOST_LINKED])
    for issue in rows:
        issue.repository = repository
    return rows


def _metrics(found: Run, known: Review) -> list[list[str]]:
    rows = []
    before = {row.metric: row.base.metrics.get(row.metric) for row in known.rows if row.base}
    for metric, value in sorted(found.metrics.items()):
        was = before.get(metric)
        more = deltas.delta(value, was)
        rows.append([metric, _number(was), _number(value), deltas.signed(more) if more is not None else ""])
    return rows


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if math.isfinite(value) else str(value)


def _link(repository: Repository, found: Run) -> str:
    name = re.sub(r"([\\\[\]<>`*_&])", r"\\\1", " ".join(found.name.split())) or found.run_id
    return f"[{name}]({settings.COVEY_URL}/{repository.full_name}/experiments/runs/{found.run_id})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_row(heads), _row(["---"] * len(heads)), *(_row([_cell(one) for one in row]) for row in rows[:MOST_ROWS])]
    more = len(rows) - MOST_ROWS
    return "\n".join(lines) + (f"\n\nand {more} more" if more > 0 else "")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """What somebody logged, as code: no markup, no mention, no end of the cell."""
    plain = shown(" ".join(text.split())[:200]).replace("`", "'").replace("|", "\\|").replace("\0", "")
    return f"`{plain}`" if plain else ""
