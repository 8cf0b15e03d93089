"""How one artifact is shown: as a file of the repository is, made once per content."""

from __future__ import annotations

from experiments import files
from experiments.artifact_bytes import raw_url
from experiments.files import Artifact
from hub.lib import previews
from hub.lib.errors import NotFound
from repos import cache
from repos.models import Repository
from repos.place import url
from repos.shown import VERSION, Shown, of_preview

REQUIREMENTS, REQUIREMENTS_BYTES = "requirements.txt", 64 * 1024
__all__ = ["raw_url", "requirements", "shown"]


def shown(repository: Repository, run_id: str, file: Artifact, *, as_source: bool = False) -> Shown:
    """Raises Busy when too many previews wait. Links of a text lead to other artifacts of its run."""
    ids = (run_id, file.path, file.entry.oid, file.size, as_source, previews.RENDERER_VERSION, VERSION)
    return cache.by_ids(repository, "artifact", *ids, make=lambda: _make(repository, run_id, file, as_source))


def requirements(repository: Repository, artifact_uri: str, file: Artifact) -> str:
    """Of a model, beside its MLmodel: the text of requirements.txt, "" where there is none."""
    folder, _, name = file.path.rpartition("/")
    if name != "MLmodel":
        return ""
    path = f"{folder}/{REQUIREMENTS}" if folder else REQUIREMENTS
    try:
        data = files.artifact(repository.pk, artifact_uri, path).head(REQUIREMENTS_BYTES)
    except NotFound:
        return ""
    return data.decode("utf-8", "replace")


def _make(repository: Repository, run_id: str, file: Artifact, as_source: bool) -> Shown:
    preview = previews.render(
        file.path,
        file,
        raw_url=raw_url(repository, run_id, file.path),
        link_base=f"{url(repository, 'artifacts', run_id)}/",
        raw_base=f"{url(repository, 'artifacts', run_id)}/",
        as_source=as_source,
        pages=True,
    )
    return of_preview(preview)
