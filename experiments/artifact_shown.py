"""How one artifact is shown: as a file of the repository is, made once per content."""

from __future__ import annotations

from experiments.artifact_bytes import raw_url
from experiments.files import Artifact
from hub.lib import previews
from repos import cache
from repos.models import Repository
from repos.place import url
from repos.shown import VERSION, Shown, of_preview

__all__ = ["raw_url", "shown"]


def shown(repository: Repository, run_id: str, file: Artifact, *, as_source: bool = False) -> Shown:
    """Raises Busy when too many previews wait. Links of a text lead to other artifacts of its run."""
    ids = (run_id, file.path, file.entry.oid, file.size, as_source, previews.RENDERER_VERSION, VERSION)
    return cache.by_ids(repository, "artifact", *ids, make=lambda: _make(repository, run_id, file, as_source))


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
