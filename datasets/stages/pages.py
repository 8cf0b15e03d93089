"""The pipelines of a revision, and what changed in them between two, as far as they are known by now."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from datasets import objects, results
from datasets.comparison.comparing import making
from datasets.comparison.diffs import Compared
from datasets.dvc import keys
from datasets.pipelines import states
from datasets.stages.jobs import PIPELINE, PIPELINE_DIFF, digest_of, pipeline_files
from datasets.tracked.presence import Presence, presence
from datasets.tracked.tracking import tracked
from hub.jobs.models import Job
from hub.lib.errors import Busy
from repos import browsing
from repos.git.read import Rev
from repos.models import Repository

logger = logging.getLogger("covey.datasets")


@dataclass(frozen=True)
class Judged:
    """A stage of a document. state: one of states.STATES, reasons: sentences. pushed: by path of its stored outputs."""

    stage: dict[str, Any]
    state: str
    reasons: list[str]
    pushed: dict[str, bool]


@dataclass(frozen=True)
class Pipeline:
    """state: as of a Diff; "none" where no dvc.yaml is. document: of pipeline_jobs, when done. job: one that is not."""

    repository: Repository
    rev: Rev
    state: str
    document: dict[str, Any] = field(default_factory=dict)
    stages: list[Judged] = field(default_factory=list)
    job: Job | None = None


@dataclass(frozen=True)
class PipelineDiff:
    compared: Compared
    state: str
    document: dict[str, Any] = field(default_factory=dict)
    job: Job | None = None


def pipeline(repository: Repository, rev: Rev, *, user_id: int | None) -> Pipeline:
    """Raises Busy when too much waits. A fixed number of queries for any number of stages."""
    if not has_pipelines(repository, rev.commit):
        return Pipeline(repository, rev, "none")
    if job := ask(repository, rev.commit, user_id=user_id):
        return Pipeline(repository, rev, str(job.state), job=job)
    digest = digest_of(repository, rev.commit)
    document = _read(repository, digest)
    if _arrived(repository, document):
        results.pipeline_place(repository.pk, digest).unlink(missing_ok=True)
        return pipeline(repository, rev, user_id=user_id)
    return Pipeline(repository, rev, "done", document, _judged(repository, rev.commit, document))


def ask(repository: Repository, commit: str, *, user_id: int | None = None) -> Job | None:
    """Have the pipelines of a commit made; the job, None when they are there."""
    digest = digest_of(repository, commit)
    arguments = {"repository": repository.pk, "commit": commit, "digest": digest}
    return making(results.pipeline_place(repository.pk, digest), PIPELINE, digest, arguments, repository, user_id)


def prepare(repository_id: int) -> None:
    """Have the pipelines of the default branch made before anybody asks: a second of work, only where there are any."""
    repository = Repository.objects.select_related("owner").filter(pk=repository_id, deleted=None).first()
    rev = browsing.default_rev(repository) if repository else None
    if repository is None or rev is None or not has_pipelines(repository, rev.commit):
        return
    try:
        ask(repository, rev.commit)
    except Busy:
        logger.info("repository %s has much work waiting; its pipelines are made when somebody looks", repository_id)


def has_pipelines(repository: Repository, commit: str) -> bool:
    return any(path.endswith("dvc.yaml") for path in pipeline_files(repository, commit))


def pipeline_diff(asked: Compared, *, user_id: int | None) -> PipelineDiff:
    """Raises Busy when too much waits."""
    repository, base, head = asked.repository, asked.base.commit, asked.head.commit
    if not has_pipelines(repository, base) and not has_pipelines(repository, head):
        return PipelineDiff(asked, "none")
    digest = results.digest(PIPELINE_DIFF, digest_of(repository, base), digest_of(repository, head))
    arguments = {"repository": repository.pk, "base": base, "head": head, "digest": digest}
    job = making(results.pipeline_place(repository.pk, digest), PIPELINE_DIFF, digest, arguments, repository, user_id)
    if job is not None:
        return PipelineDiff(asked, str(job.state), job=job)
    return PipelineDiff(asked, "done", _read(repository, digest))


def _read(repository: Repository, digest: str) -> dict[str, Any]:
    return dict(json.loads(results.pipeline_place(repository.pk, digest).read_bytes()))


def _arrived(repository: Repository, document: dict[str, Any]) -> bool:
    """Whether a list of files was pushed that the document could not compare without."""
    lacking = document["lacking"]
    return bool(lacking and objects.sizes(repository.pk, keys.BUCKET, lacking))


def _judged(repository: Repository, commit: str, document: dict[str, Any]) -> list[Judged]:
    found = tracked(repository, commit).outputs
    stored = {o["path"] for stage in document["stages"] for o in stage["outs"] if o.get("state") == states.STORED}
    here: dict[str, Presence] = {
        one.output.path: one for one in presence(repository, [found[path] for path in sorted(stored) if path in found])
    }
    judged = []
    for stage in document["stages"]:
        outs = [out["path"] for out in stage["outs"] if out.get("state") == states.STORED]
        pushed = {path: path in here and (here[path].whole or here[path].elsewhere) for path in outs}
        judged.append(Judged(stage, *states.judged(stage, pushed.__getitem__), pushed))
    return judged
