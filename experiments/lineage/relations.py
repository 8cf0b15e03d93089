"""What is joined to what, one step each way. Each function answers (id that was asked, what it leads to) for any number
of ids in one or two queries, the newest first, at most MOST pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from django.db.models import Max

from datasets.tracked.commits import known_of
from datasets.tracked.tracking import tracked
from experiments.lineage import recorded
from experiments.lineage.nodes import (
    COMMIT,
    DATASET,
    FILE,
    MODEL,
    RUN,
    STAGE,
    Ref,
    identity_of,
    known_data,
    oid_of,
)
from experiments.lineage.recorded import MOST
from experiments.models import RunCommit, StageItem
from repos.models import Repository

Pairs = list[tuple[str, Ref]]
Relation = Callable[[Repository, Sequence[str]], Pairs]


# ---- stages ------------------------------------------------------------------------------------
def makers(repository: Repository, ids: Sequence[str]) -> Pairs:
    """The stages that made data or files."""
    return _stages_with(repository, ids, made=True)


def readers(repository: Repository, ids: Sequence[str]) -> Pairs:
    """The stages that read them."""
    return _stages_with(repository, ids, made=False)


def _stages_with(repository: Repository, ids: Sequence[str], *, made: bool) -> Pairs:
    """ids: of data (an oid), or of files (an oid and a path), for which the path counts too."""
    asked = {id: id.partition("/")[::2] for id in ids}
    rows = StageItem.objects.filter(repository=repository, made=made, oid__in={oid for oid, _ in asked.values()})
    found = rows.order_by("-record").values_list("oid", "path", "record__key")[:MOST]
    by_oid: dict[str, list[tuple[str, str]]] = {}
    for oid, path, key in found:
        by_oid.setdefault(oid, []).append((path, key))
    pairs = (
        (id, Ref(STAGE, key))
        for id, (oid, path) in asked.items()
        for at, key in by_oid.get(oid, ())
        if not path or at == path
    )
    return list(dict.fromkeys(pairs))


def read_by(repository: Repository, keys: Sequence[str]) -> Pairs:
    """What stages read."""
    return _items_of(repository, keys, made=False)


def made_by(repository: Repository, keys: Sequence[str]) -> Pairs:
    """What stages made."""
    return _items_of(repository, keys, made=True)


def _items_of(repository: Repository, keys: Sequence[str], *, made: bool) -> Pairs:
    rows = StageItem.objects.filter(repository=repository, record__key__in=keys, made=made)
    found = list(rows.order_by("pk").values_list("record__key", "oid", "path")[:MOST])
    data = known_data(repository, (oid for _, oid, _ in found))
    pairs = ((key, Ref(DATASET, oid) if oid in data else Ref(FILE, f"{oid}/{path}")) for key, oid, path in found)
    return list(dict.fromkeys(pairs))


# ---- commits -----------------------------------------------------------------------------------
def held_by(repository: Repository, shas: Sequence[str]) -> Pairs:
    """The data that commits hold, by path."""
    found = ((sha, ref) for sha in shas for ref in data_of(repository, sha))
    return list(islice(found, MOST))


def data_of(repository: Repository, sha: str) -> Iterable[Ref]:
    outs = (output.out for output in tracked(repository, sha).outputs.values())
    return dict.fromkeys(Ref(DATASET, oid_of(known_of(out).identity)) for out in outs if out.oid or out.files)


def holders(repository: Repository, oids: Sequence[str]) -> Pairs:
    """The commits with runs that hold data."""
    identity = "state__versions__identity"
    rows = RunCommit.objects.filter(repository=repository, **{f"{identity}__in": [identity_of(oid) for oid in oids]})
    found = rows.values(identity, "sha").annotate(last=Max("pk")).order_by("-last")[:MOST]
    return [(oid_of(row[identity]), Ref(COMMIT, row["sha"])) for row in found]


def runs_at(repository: Repository, shas: Sequence[str]) -> Pairs:
    """The runs of commits."""
    rows = RunCommit.objects.filter(repository=repository, sha__in=shas).order_by("-pk")
    return _of_runs(repository, dict(rows.values_list("run_id", "sha")[:MOST]))


def runs_on(repository: Repository, oids: Sequence[str]) -> Pairs:
    """The runs of all commits that hold data, at once."""
    identity = "state__versions__identity"
    rows = RunCommit.objects.filter(repository=repository, **{f"{identity}__in": [identity_of(oid) for oid in oids]})
    found = rows.order_by("-pk").values_list("run_id", identity)[:MOST]
    return _of_runs(repository, {run_id: oid_of(one) for run_id, one in found})


def _of_runs(repository: Repository, ids: dict[str, str]) -> Pairs:
    """run → what was asked, for the runs that are there."""
    return [(ids[run.run_id], Ref(RUN, run.run_id)) for run in recorded.alive(repository.pk, ids)]


def commits_of(repository: Repository, run_ids: Sequence[str]) -> Pairs:
    """The commits that runs were made at, where the repository has them."""
    rows = RunCommit.objects.filter(repository=repository, run_id__in=run_ids)
    return [(run_id, Ref(COMMIT, sha)) for run_id, sha in rows.values_list("run_id", "sha")]


# ---- runs and models ---------------------------------------------------------------------------
def inputs_of(repository: Repository, run_ids: Sequence[str]) -> Pairs:
    """The data that runs logged as an input by its DVC hash."""
    found = recorded.inputs_of(repository.pk, run_ids)
    data = known_data(repository, (digest for _, digest in found))
    return [(run_id, Ref(DATASET, digest)) for run_id, digest in found if digest in data]


def loggers(repository: Repository, oids: Sequence[str]) -> Pairs:
    """The runs that logged data as an input."""
    return [(digest, Ref(RUN, run_id)) for run_id, digest in recorded.readers_of(repository.pk, oids)]


def models_of(repository: Repository, run_ids: Sequence[str]) -> Pairs:
    """The model versions made of runs."""
    return [(run_id, Ref(MODEL, model)) for run_id, model in recorded.versions_of(repository.pk, run_ids)]


def runs_of(repository: Repository, models: Sequence[str]) -> Pairs:
    """The runs that model versions were made of, where they are there."""
    found = recorded.runs_of(repository.pk, models)
    alive = {run.run_id for run in recorded.alive(repository.pk, {run_id for _, run_id in found})}
    return [(model, Ref(RUN, run_id)) for model, run_id in found if run_id in alive]


# What a thing was made from, and what was made from it, by kind: the arrows of the graph.
UP: dict[str, Sequence[Relation]] = {
    DATASET: [makers],
    FILE: [makers],
    STAGE: [read_by],
    COMMIT: [held_by],
    RUN: [commits_of, inputs_of],
    MODEL: [runs_of],
}
DOWN: dict[str, Sequence[Relation]] = {
    DATASET: [readers, holders, loggers],
    FILE: [readers],
    STAGE: [made_by],
    COMMIT: [runs_at],
    RUN: [models_of],
    MODEL: [],
}
