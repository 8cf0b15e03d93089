"""Which files of a commit say what an experiment was given and what it measured."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from datasets.stages.jobs import MAX_PIPELINES
from datasets.tracked.located import Located
from experiments.tracked.commits import DOCUMENTS, TABLES
from experiments.tracked.declared import Beat, Declared
from hub.jobs.jobs import Failed
from repos.git import read
from repos.models import Repository
from repos.place import store_of

MAX_PATHS = 50_000  # of a tree that may be metrics, params or plots
MAX_FILES = 500  # of one commit
_ENDINGS = {
    "metrics": (*DOCUMENTS, *TABLES),
    "params": DOCUMENTS,
    "plot": ("json", "yaml", "yml", *TABLES),
}


@dataclass(frozen=True)
class Source:
    """One file. place: "git" with a blob's id, "dvc" with the key of an object, "" with the key of one that was not
    pushed yet."""

    kind: str  # metrics, params or plot
    path: str
    place: str
    id: str

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.kind, self.path, self.id


@dataclass(frozen=True)
class Made:
    """What a commit's experiment is made of. named: params that stages name, path → {name: text}. by_dvc: whether a
    dvc.yaml says so, else only DagsHub's file names do."""

    sources: tuple[Source, ...] = ()
    named: dict[str, dict[str, str]] = field(default_factory=dict)
    by_dvc: bool = False
    problem: str = ""

    @property
    def identity(self) -> object:
        return sorted(source.identity for source in self.sources), sorted(
            (path, sorted(values.items())) for path, values in self.named.items()
        )

    @property
    def paths(self) -> set[str]:
        return {source.path for source in self.sources} | self.named.keys()

    @property
    def missing(self) -> list[str]:
        """Keys of objects that were not pushed yet."""
        return [source.id for source in self.sources if not source.place]


def made_of(repository: Repository, commit: str, declared: Declared, beat: Beat) -> Made:
    """declared: what dvc.yaml files say, kept over many commits.

    Raises GitError, and Busy or TooLarge when git cannot list the tree in time."""
    tree = _tree(repository, commit)
    pipelines = {path: oid for path, oid in tree.items() if _name(path) == "dvc.yaml" and path.isprintable()}
    pipelines = dict(list(pipelines.items())[:MAX_PIPELINES])
    found = _Found(repository, commit, tree)
    for path in tree:
        if path.lower().endswith("metrics.csv"):
            found.add("metrics", path)
        elif path.endswith("params.yml"):
            found.add("params", path)
    if not pipelines:
        return Made(tuple(found.sources.values()))
    try:
        said = declared.of(commit, pipelines, tree, beat)
    except Failed as error:
        return Made(tuple(found.sources.values()), problem=str(error))
    for kind, paths in (("metrics", said["metrics"]), ("params", said["whole"]), ("plot", said["plots"])):
        for path in paths:
            found.add(kind, path)
    whole = {source.path for source in found.sources.values() if source.kind == "params"}
    named = {path: values for path, values in said["params"].items() if values and path not in whole}
    by_dvc = bool(named or said["metrics"] or said["plots"] or any(path in tree for path in said["whole"]))
    return Made(tuple(found.sources.values()), named, by_dvc)


def _tree(repository: Repository, commit: str) -> dict[str, str]:
    """path → blob id of what may matter."""
    found: dict[str, str] = {}
    for path, oid, plain in read.files(store_of(repository), commit):
        if plain and _ending(path) in (*DOCUMENTS, *TABLES) and len(found) < MAX_PATHS:
            found[path] = oid
    return found


class _Found:
    """Files by path, each in the first part that was asked for."""

    def __init__(self, repository: Repository, commit: str, tree: dict[str, str]) -> None:
        self.located = Located(repository, commit, tree)
        self.sources: dict[str, Source] = {}

    def add(self, kind: str, path: str) -> None:
        for found, place, one in self.located.at(path):
            if _ending(found) in _ENDINGS[kind] and len(self.sources) < MAX_FILES:
                self.sources.setdefault(found, Source(kind, read.shown(found), place, one))


def _ending(path: str) -> str:
    return posixpath.splitext(path)[1][1:].lower()


def _name(path: str) -> str:
    return path.rpartition("/")[2]
