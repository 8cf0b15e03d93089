"""How many rows each version of a table has, for its history: counted once per version by a job, or known from its
sketch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datasets import formats, objects, results
from datasets.comparison import statistics
from datasets.comparison.comparing import local_or_failed, repository_of, work
from datasets.dvc import keys
from datasets.models import DatasetVersion
from datasets.tracked.versions import Version
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run
from hub.jobs.models import Job
from repos.git import read
from repos.models import Repository

COUNT = "datasets.row-counts"


def counting(repository: Repository, versions: Iterable[DatasetVersion], user_id: int | None) -> Job | None:
    """The job that counts what is not counted yet and can be; None when there is nothing to count. Raises Busy."""
    wanted = [version for version in versions if version.rows is None and formats.is_table(version.path)]
    ids = sorted({version.pk for version in _present(repository, wanted)})
    if not ids:
        return None
    arguments = {"repository": repository.pk, "versions": ids}
    digest = results.digest(COUNT, repository.pk, *ids)
    return jobs.start(COUNT, f"{COUNT}:{digest}", arguments, repository_id=repository.pk, user_id=user_id)


@jobs.handler(COUNT)
def count_rows(run: Run) -> dict[str, Any]:
    """Arguments: repository, versions (ids of DatasetVersion). The counts are kept in their rows."""
    asked = run.job.arguments
    repository = repository_of(asked)
    wanted = DatasetVersion.objects.filter(repository=repository, pk__in=asked["versions"], rows=None)
    for row, version in _present(repository, wanted).items():
        count = statistics.rows_known(repository, version, row.path)
        if count is None:
            count = _counted(run, repository, version)
        DatasetVersion.objects.filter(pk=row.pk).update(rows=count)
    return {}


def _counted(run: Run, repository: Repository, version: Version) -> int:
    with results.work_folder() as folder:
        try:
            inputs = {"table": local_or_failed(repository, version, folder / "in")}
            name = read.shown(version.path)
            return int(work(run, "datasets.tables.sketches:count", inputs, folder, filename=name)["rows"])
        except Failed:  # no table that can be read, or too much of one
            return DatasetVersion.UNCOUNTABLE


def _present(repository: Repository, rows: Iterable[DatasetVersion]) -> dict[DatasetVersion, Version]:
    """Those whose bytes are here. One query."""
    oids = {row: row.identity.removeprefix("md5:") for row in rows}
    names = {row: (keys.key_of(oid), keys.key_of(oid, legacy=True)) for row, oid in oids.items() if keys.is_oid(oid)}
    blobs = objects.blobs(repository.pk, keys.BUCKET, (key for both in names.values() for key in both))
    found = {}
    for row in oids:
        blob = next((blobs[key] for key in names.get(row, ()) if key in blobs), None)
        if blob or row.identity.startswith("git:"):
            size = blob.size if blob else row.size
            found[row] = Version(row.path, row.identity, size, sha256=blob.sha256 if blob else "")
    return found
