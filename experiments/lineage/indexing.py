"""The indexes behind lineage: what every stage read and made, from the history of dvc.lock; what data a run's commit
holds. Keyed by immutable ids, so that indexing twice changes nothing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from itertools import islice

from django.db import transaction

from datasets.dvc import locks
from datasets.dvc.documents import Malformed
from datasets.dvc.locks import Locked
from datasets.dvc.projects import Folders
from datasets.tracked.commits import Commit, batches, hash_of, known_of, tips_of, version_ids
from datasets.tracked.tracking import Tracked, contents_of, folders_at, tracked
from experiments.commits import existing
from experiments.mlflow import bulk
from experiments.mlflow.context import workspace_of
from experiments.models import DataState, LineageIndex, RunCommit, StageItem, StageRecord
from experiments.runs import ACTIVE, DELETED
from experiments.table.version import changed
from experiments.tracked.marks import DATA_TAG
from hub.lib.errors import NotFound, TooLarge
from repos.git import read
from repos.git.turns import turn
from repos.models import Repository
from repos.place import store_of

logger = logging.getLogger("covey.lineage")
BATCH_ROWS = 400
MOST_AROUND = 100  # outputs that one folder among the dependencies stands for
CMD_CHARACTERS = 4_000
SOME_NAMES, NAME_CHARACTERS = 2, 60  # of data in the name of its version
_REFS = ("refs/heads", "refs/tags", "refs/exps")
_WALK = ("--branches", "--tags", "--glob=refs/exps")
_PATTERNS = ("dvc.lock", "*/dvc.lock")


def index_stages(repository: Repository, *, again: bool = False) -> None:
    """Index the commits that are new (again: all) to branches, tags and experiments. Safe to run twice.

    Raises GitError."""
    try:
        store_of(repository)
    except NotFound:
        return  # nothing was pushed yet
    with turn(store_of(repository), "index"):
        state, _ = LineageIndex.objects.get_or_create(repository=repository)
        tips = tips_of(repository, *_REFS)
        made: set[str] | None = set() if again else None
        for batch in batches(repository, state.tips, tips, again=again, unread=[], refs=_WALK, patterns=_PATTERNS):
            _write(repository, batch, made)
        LineageIndex.objects.filter(pk=state.pk).update(tips=tips)


def index_data(repository: Repository, *, again: bool = False) -> None:
    """Index the data of commits that runs were bound to since (again: of all), and mark the runs with its version.

    Safe to run twice, and at the same time."""
    waiting = RunCommit.objects.filter(repository=repository, **({} if again else {"state": None}))
    shas = list(waiting.values_list("sha", flat=True).distinct())
    there = existing(repository, set(shas))
    for sha in shas:
        if sha not in there:
            waiting.filter(sha=sha).delete()  # its commit was rewritten: bound again when it comes back
            continue
        try:
            state = state_of(repository, sha)
            _mark(
                repository, list(waiting.filter(sha=sha).values_list("run_id", flat=True)), version_of(repository, sha)
            )
            waiting.filter(sha=sha).update(state=state)
        except TooLarge as error:
            logger.warning("the data of %s in repository %s is not indexed: %s", sha, repository.pk, error)


# ---- stages ------------------------------------------------------------------------------------
def _write(repository: Repository, batch: list[Commit], made: set[str] | None) -> None:
    """made: the keys made again so far; None: only those that are new are made."""
    wanted = [(commit.sha, blob.path, blob.new) for commit in batch for blob in commit.blobs if blob.new]
    contents = contents_of(store_of(repository), sorted({oid for _, _, oid in wanted}))
    folders = folders_at(repository, ((sha, path) for sha, path, _ in wanted))
    found: dict[str, tuple[str, str, Locked]] = {}
    for sha, path, oid in wanted:
        for locked in _records(repository, path, contents.get(oid), folders.get((sha, path), {})):
            found.setdefault(locked.key, (sha, path, locked))
    keys = list(found)
    for start in range(0, len(keys), BATCH_ROWS):
        some = keys[start : start + BATCH_ROWS]
        rows = StageRecord.objects.filter(repository=repository, key__in=some)
        known = set(rows.values_list("key", flat=True)) if made is None else made
        _keep(repository, {key: found[key] for key in some if key not in known})
    if made is not None:
        made.update(keys)


def _records(repository: Repository, path: str, data: bytes | None, folders: Folders) -> tuple[Locked, ...]:
    try:
        return locks.records_of(data, path, folders) if data is not None else ()
    except Malformed as error:
        logger.info("a dvc.lock of repository %s cannot be read: %s", repository.pk, error)
        return ()


def _keep(repository: Repository, found: dict[str, tuple[str, str, Locked]]) -> None:
    # Git is asked before the transaction, which others wait for.
    items = {key: list(_items(tracked(repository, sha), locked)) for key, (sha, _, locked) in found.items()}
    records = [
        StageRecord(
            repository=repository,
            key=key,
            file=read.shown(path),
            name=_text(locked.name),
            cmd=_text(locked.cmd)[:CMD_CHARACTERS],
            sha=sha,
        )
        for key, (sha, path, locked) in found.items()
    ]
    with transaction.atomic():
        StageRecord.objects.filter(repository=repository, key__in=found).delete()  # with items, of which some may lack
        rows = StageRecord.objects.bulk_create(records)
        of_rows = (
            StageItem(
                repository=repository, record=row, made=made, path=read.shown(path), path_hash=hash_of(path), oid=oid
            )
            for row in rows
            for made, path, oid in items[row.key]
        )
        StageItem.objects.bulk_create(of_rows, batch_size=BATCH_ROWS)


def _items(held: Tracked, locked: Locked) -> Iterator[tuple[bool, str, str]]:
    """(whether it was made, path, oid) of each thing that has one, once."""
    yield from dict.fromkeys((True, out.path, out.oid) for out in locked.outs if out.oid)
    deps: dict[tuple[str, str], None] = {}
    for dep in locked.deps:
        if dep.oid:
            deps[dep.path, dep.oid] = None
        around = held.around(dep.path)
        if around and around[1] and around[0].out.oid:
            deps[around[0].path, around[0].out.oid] = None
        if not around:
            inside = (o for path, o in held.outputs.items() if path.startswith(f"{dep.path}/") and o.out.oid)
            deps |= {(output.path, output.out.oid): None for output in islice(inside, MOST_AROUND)}
    yield from ((False, path, oid) for path, oid in deps)


def _text(text: str) -> str:
    """As every database can keep it."""
    return read.shown(text).replace("\0", "�")


# ---- data of commits ---------------------------------------------------------------------------
def state_of(repository: Repository, sha: str) -> DataState:
    """The row of what DVC tracks at a commit, made where it is new."""
    outs = [output.out for output in tracked(repository, sha).outputs.values()]
    versions = {known.key: known for known in (known_of(out) for out in outs if out.oid or out.files)}
    digest = hashlib.sha256(repr(sorted(versions)).encode()).hexdigest()
    with transaction.atomic():
        state, new = DataState.objects.get_or_create(repository=repository, digest=digest)
        if new:
            ids = version_ids(repository, list(versions.values()))
            through = DataState.versions.through
            links = (through(datastate_id=state.pk, datasetversion_id=ids[key]) for key in versions)
            through.objects.bulk_create(links, batch_size=BATCH_ROWS)
    return state


def version_of(repository: Repository, sha: str) -> str | None:
    """One name for the data that a commit starts from, the same for every commit with the same data; None without any.

    That is what .dvc files track: "raw.csv 3f2a91c04bd2", of several "images, raw.csv 77ab01c9e2f4". What stages make
    of it (models, metrics) follows from it, and counts only where there is nothing else.
    """
    outputs = [output for output in tracked(repository, sha).outputs.values() if output.out.oid or output.out.files]
    given = [output for output in outputs if output.pointer.endswith(".dvc")] or outputs
    if not given:
        return None
    known = sorted((known_of(output.out) for output in given), key=lambda version: version.path)
    named = [read.shown(version.path.rpartition("/")[2]) for version in known]
    names = ", ".join(name[:NAME_CHARACTERS] for name in named[:SOME_NAMES])
    more = f" and {len(named) - SOME_NAMES} more" if len(named) > SOME_NAMES else ""
    identity = known[0].identity.partition(":")[2]
    if len(known) > 1:
        identity = hashlib.sha256(repr([version.key for version in known]).encode()).hexdigest()
    return _text(f"{names}{more} {identity[:12]}")


def _mark(repository: Repository, run_ids: list[str], version: str | None) -> None:
    """Only where it is not so yet: the others of these runs may be thousands."""
    with bulk.changing() as connection:
        here = [
            run_id
            for stage in (ACTIVE, DELETED)
            for run_id in bulk.names(connection, workspace_of(repository.pk), run_ids, stage=stage)
        ]
        marked = bulk.values(connection, here, DATA_TAG)
        new = {run_id: version for run_id in here if marked.get(run_id) != version}
        bulk.tag(connection, DATA_TAG, new)
    if new:
        changed(repository.pk)
