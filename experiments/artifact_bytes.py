"""Artifacts for browsers: /{owner}/{name}/artifacts/{run_id}/{path}, as raw files are sent (repos.raw): in ranges, as
types that run nothing; on RAW_HOST as what they are. Machines read them from the .mlflow mount."""

from __future__ import annotations

from experiments import files, runs
from experiments.files import Artifact
from experiments.mlflow import rules
from experiments.mlflow.context import workspace_of
from hub.accounts.actor import Area
from hub.lib.streams import in_thread
from repos import mediatypes, raw
from repos.access import Access
from repos.models import Repository
from repos.place import url
from repos.surface import BrowserSurface, Call, route

KIND = "artifact"


def raw_url(repository: Repository, run_id: str, path: str) -> str:
    return url(repository, "artifacts", run_id, path)


async def send(call: Call) -> None:
    await call.request.read(limit_bytes=1024)
    run_id, path = call.match["run_id"], rules.clean_path(call.match["path"])
    if await raw.sent_to_raw_host(call, run_id, path, kind=KIND):
        return
    file = await in_thread(opened, call.repository, run_id, path)
    form = await in_thread(mediatypes.form_of, path, file)
    await raw.send(call.request, file, form, cache="private, no-cache")


def opened(repository: Repository, run_id: str, path: str) -> Artifact:
    """Blocking. Raises NotFound: also for the run of another repository."""
    found = runs.bare(workspace_of(repository.pk), run_id)
    return files.artifact(repository.pk, found.artifact_uri, path)


raw.OPENERS[KIND] = opened
surface = BrowserSurface(
    "artifacts", Area.EXPERIMENTS, [route("GET HEAD", r"(?P<run_id>[0-9a-zA-Z]+)/(?P<path>.+)", send, Access.READ)]
)
