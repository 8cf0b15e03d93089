"""Made from, and used by: what the pages of a thing list, one group for each kind of thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from datasets.models import DatasetVersion
from experiments.lineage import relations
from experiments.lineage.nodes import (
    COMMIT,
    DATASET,
    FILE,
    MODEL,
    RUN,
    STAGE,
    WORDS,
    Node,
    Ref,
    commits_with,
    described,
    identity_of,
)
from experiments.lineage.recorded import MOST
from experiments.models import StageRecord
from repos.models import Repository

PER_PAGE = 10


@dataclass(frozen=True)
class Group:
    """A page of the things of one kind. total: how many there are, MOST for as many or more."""

    kind: str
    nodes: list[Node]
    total: int
    page: int
    size: int

    @property
    def title(self) -> str:
        return WORDS[self.kind][self.total != 1]

    @property
    def more(self) -> int:
        """How many come after this page."""
        return max(0, self.total - self.page * self.size)

    @property
    def cut(self) -> bool:
        return self.total >= MOST


@dataclass(frozen=True)
class Lineage:
    node: Node
    made_from: list[Group]
    used_by: list[Group]

    @property
    def empty(self) -> bool:
        return not self.made_from and not self.used_by

    @property
    def pages(self) -> int:
        """Of the longest group."""
        return max((-(-group.total // group.size) for group in (*self.made_from, *self.used_by)), default=1)


def lineage(repository: Repository, ref: Ref, *, page: int = 1, size: int = PER_PAGE) -> Lineage | None:
    """Both ways, one page of every group; None when the thing itself is gone. At most about 20 queries."""
    ways = [_groups(_MADE_FROM[ref.kind](repository, ref.id)), _groups(_USED_BY[ref.kind](repository, ref.id))]
    start = (page - 1) * size
    shown = [{kind: refs[start : start + size] for kind, refs in way.items()} for way in ways]
    nodes = described(repository, [ref, *(one for way in shown for refs in way.values() for one in refs)])
    if ref not in nodes:
        return None
    made_from, used_by = (
        [
            Group(kind, [nodes[r] for r in shown[n][kind] if r in nodes], len(refs), page, size)
            for kind, refs in w.items()
        ]
        for n, w in enumerate(ways)
    )
    return Lineage(nodes[ref], made_from, used_by)


def _groups(refs: Iterable[Ref]) -> dict[str, list[Ref]]:
    found: dict[str, list[Ref]] = {}
    for ref in dict.fromkeys(refs):
        found.setdefault(ref.kind, []).append(ref)
    return found


def _of(repository: Repository, relation: relations.Relation, ids: Sequence[str]) -> list[Ref]:
    return [ref for _, ref in relation(repository, ids)] if ids else []


# ---- made from ---------------------------------------------------------------------------------
def _of_data(repository: Repository, oid: str) -> list[Ref]:
    """The stages that made it, and the commits that brought it."""
    versions = DatasetVersion.objects.filter(repository=repository, identity=identity_of(oid))
    brought = commits_with(repository, list(versions.values_list("pk", flat=True)[:MOST]))
    return [*_of(repository, relations.makers, [oid]), *(Ref(COMMIT, sha) for sha in brought.values())]


def _of_file(repository: Repository, id: str) -> list[Ref]:
    return _of(repository, relations.makers, [id])


def _of_stage(repository: Repository, key: str) -> list[Ref]:
    return _of(repository, relations.read_by, [key])


def _of_commit(repository: Repository, sha: str) -> list[Ref]:
    """The data it holds, and the stages that ran for it."""
    stages = StageRecord.objects.filter(repository=repository, sha=sha).order_by("pk").values_list("key", flat=True)
    return [*_of(repository, relations.held_by, [sha]), *(Ref(STAGE, key) for key in stages[:MOST])]


def _of_run(repository: Repository, run_id: str) -> list[Ref]:
    """Its commit, and the data it logged as input or found in that commit."""
    commits = _of(repository, relations.commits_of, [run_id])
    held = _of(repository, relations.held_by, [ref.id for ref in commits])
    return [*commits, *_of(repository, relations.inputs_of, [run_id]), *held]


def _of_model(repository: Repository, model: str) -> list[Ref]:
    runs = _of(repository, relations.runs_of, [model])
    return [*runs, *(ref for run in runs for ref in _of_run(repository, run.id))]


# ---- used by -----------------------------------------------------------------------------------
def _by_data(repository: Repository, oid: str) -> list[Ref]:
    """The stages that read it, the runs that logged it or whose commit holds it, and the models of those runs."""
    logged = _of(repository, relations.loggers, [oid])
    runs = list(dict.fromkeys([*logged, *_of(repository, relations.runs_on, [oid])]))[:MOST]
    models = _of(repository, relations.models_of, [run.id for run in runs])
    return [*_of(repository, relations.readers, [oid]), *runs, *models]


def _by_file(repository: Repository, id: str) -> list[Ref]:
    return _of(repository, relations.readers, [id])


def _by_stage(repository: Repository, key: str) -> list[Ref]:
    return _of(repository, relations.made_by, [key])


def _by_commit(repository: Repository, sha: str) -> list[Ref]:
    runs = _of(repository, relations.runs_at, [sha])
    return [*runs, *_of(repository, relations.models_of, [run.id for run in runs])]


def _by_run(repository: Repository, run_id: str) -> list[Ref]:
    return _of(repository, relations.models_of, [run_id])


def _by_model(repository: Repository, model: str) -> list[Ref]:
    return []


_Way = dict[str, Callable[[Repository, str], list[Ref]]]
_MADE_FROM: _Way = {
    DATASET: _of_data, FILE: _of_file, STAGE: _of_stage, COMMIT: _of_commit, RUN: _of_run, MODEL: _of_model,
}  # fmt: skip
_USED_BY: _Way = {
    DATASET: _by_data, FILE: _by_file, STAGE: _by_stage, COMMIT: _by_commit, RUN: _by_run, MODEL: _by_model,
}  # fmt: skip
