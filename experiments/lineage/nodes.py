"""The things that lineage joins, each with an id that stays, and what a page says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from datasets.models import DatasetChange, DatasetVersion
from datasets.pipelines.boxes import anchor
from experiments.lineage import recorded
from experiments.models import StageItem, StageRecord
from repos.git import history, read
from repos.models import Repository
from repos.place import store_of, url

DATASET, FILE, STAGE, COMMIT, RUN, MODEL = KINDS = ("dataset", "file", "stage", "commit", "run", "model")
WORDS = {
    DATASET: ("Data", "Data"),
    FILE: ("File", "Files"),
    STAGE: ("Stage", "Stages"),
    COMMIT: ("Commit", "Commits"),
    RUN: ("Run", "Runs"),
    MODEL: ("Model version", "Model versions"),
}


class Ref(NamedTuple):
    """A thing by its kind and id.

    dataset: the oid DVC gives its content (32 hex digits, ".dir" after those of a folder; "files:…" of a pointer that
    lists its files). file: "{md5}/{path}" of what DVC does not track, or "{commit}/{path}" while no stage names it.
    stage: the key of its record. commit: full id. run: MLflow's id. model: "{name}/{version}".
    """

    kind: str
    id: str


@dataclass(frozen=True)
class Node:
    """A thing as pages name it. note: a few words more. url: its own page; lineage_url: where its lineage is told."""

    ref: Ref
    label: str
    url: str
    lineage_url: str
    note: str = ""

    @property
    def word(self) -> str:
        return WORDS[self.ref.kind][0]


def lineage_url(repository: Repository, ref: Ref) -> str:
    return url(repository, f"lineage/{ref.kind}", ref.id)


def described(repository: Repository, refs: Iterable[Ref]) -> dict[Ref, Node]:
    """What is said of each; what is not there any more is left out. A fixed number of queries for any number."""
    by_kind: dict[str, list[str]] = {}
    for ref in dict.fromkeys(refs):
        by_kind.setdefault(ref.kind, []).append(ref.id)
    found: dict[Ref, Node] = {}
    for kind, ids in by_kind.items():
        for id, (label, page, note) in _DESCRIBE[kind](repository, ids).items():
            ref = Ref(kind, id)
            where = lineage_url(repository, ref)
            found[ref] = Node(ref, label, page or where, where, note)
    return found


_Told = Mapping[str, tuple[str, str, str]]  # id → (label, its page, note)


# ---- data and files ----------------------------------------------------------------------------
def identity_of(oid: str) -> str:
    """As DatasetVersion has it."""
    return oid if oid.startswith("files:") else f"md5:{oid}"


def oid_of(identity: str) -> str:
    return identity.removeprefix("md5:")


def known_data(repository: Repository, oids: Iterable[str]) -> set[str]:
    """Those that DVC tracks, or tracked once, in this repository."""
    wanted = [identity_of(oid) for oid in set(oids)]
    rows = DatasetVersion.objects.filter(repository=repository, identity__in=wanted)
    return {oid_of(identity) for identity in rows.values_list("identity", flat=True)}


def _datasets(repository: Repository, oids: Sequence[str]) -> _Told:
    rows = DatasetVersion.objects.filter(repository=repository, identity__in=[identity_of(oid) for oid in oids])
    versions: dict[str, list[DatasetVersion]] = {}
    for row in rows.order_by("pk"):
        versions.setdefault(oid_of(row.identity), []).append(row)
    shown = {oid: found[0] for oid, found in versions.items()}
    commits = commits_with(repository, [row.pk for row in shown.values()])
    told = {}
    for oid, row in shown.items():
        others = len(versions[oid]) - 1
        page = _page(repository, commits.get(row.pk, ""), row.path, is_dir=row.is_dir)
        told[oid] = (
            row.path,
            page,
            f"{oid[:7]}" + (f", also at {others} other path{'s'[: others > 1]}" if others else ""),
        )
    return told


def commits_with(repository: Repository, versions: Sequence[int]) -> dict[int, str]:
    """version → the last indexed commit that brought it."""
    rows = DatasetChange.objects.filter(repository=repository, version__in=versions).order_by("pk")
    return {version: sha for version, sha in rows.values_list("version_id", "commit") if version is not None}


def _files(repository: Repository, ids: Sequence[str]) -> _Told:
    pairs = {id: tuple(id.split("/", 1)) for id in ids}
    items = StageItem.objects.filter(repository=repository, oid__in={head for head, _ in pairs.values()})
    shas = {(oid, path): sha for oid, path, sha in items.order_by("-pk").values_list("oid", "path", "record__sha")}
    told = {}
    for id, (head, path) in pairs.items():
        sha = head if read.FULL_ID.fullmatch(head) else shas.get((head, path), "")
        page = _page(repository, sha, path, is_dir=head.endswith(".dir"))
        told[id] = (read.shown(path), page, head[:7] if head != sha else "")
    return told


def _page(repository: Repository, sha: str, path: str, *, is_dir: bool) -> str:
    return url(repository, "tree" if is_dir else "blob", sha, path) if sha else ""


# ---- what is done with them --------------------------------------------------------------------
def _stages(repository: Repository, keys: Sequence[str]) -> _Told:
    rows = StageRecord.objects.filter(repository=repository, key__in=keys)
    told = {}
    for row in rows:
        address = _address(row)
        told[row.key] = (address, f"{url(repository, 'pipelines', row.sha)}#{anchor(address)}", row.sha[:7])
    return told


def _address(row: StageRecord) -> str:
    """As DVC writes it: only the name in the root's dvc.yaml."""
    folder = row.file.rpartition("/")[0]
    return f"{folder}/dvc.yaml:{row.name}" if folder else row.name


def _commits(repository: Repository, shas: Sequence[str]) -> _Told:
    found = history.commits(store_of(repository), list(shas))
    return {sha: (one.subject or "(no message)", url(repository, "commit", sha), sha[:7]) for sha, one in found.items()}


def _runs(repository: Repository, ids: Sequence[str]) -> _Told:
    page = url(repository, "experiments/runs")
    return {
        run.run_id: (run.name or run.run_id[:8], f"{page}/{run.run_id}", (run.status or "").lower())
        for run in recorded.alive(repository.pk, ids)
    }


def _models(repository: Repository, ids: Sequence[str]) -> _Told:
    pairs = {id: id.rpartition("/") for id in ids}
    return {
        id: (f"{name} v{version}", url(repository, "models", name, "versions", version), "")
        for id, (name, _, version) in pairs.items()
    }


_DESCRIBE: dict[str, Callable[[Repository, Sequence[str]], _Told]] = {
    DATASET: _datasets,
    FILE: _files,
    STAGE: _stages,
    COMMIT: _commits,
    RUN: _runs,
    MODEL: _models,
}
