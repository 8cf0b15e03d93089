"""What a hub's own rows say after crashes, against git, the store and MLflow's tables. Run in the hub's environment:

    python -m tests.support.recount OWNER/NAME    prints JSON {"pending": [...], "wrong": [...]}

pending: what the worker has yet to do, and may still do. wrong: what will never be right by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

HOUR_SECONDS = 3600


def main(full_name: str) -> dict[str, list[str]]:
    from repos.models import Repository

    owner, name = full_name.split("/")
    repository = Repository.objects.select_related("owner").get(owner__name=owner, name=name, deleted=None)
    return {
        "pending": [*undelivered(), *unsettled(), *claimed()],
        "wrong": [
            *refs_and_pushes(repository),
            *blobs(),
            *counters(repository),
            *leftovers(repository),
            *pulls(repository),
        ],
    }


def undelivered() -> list[str]:
    from hub.jobs.models import Outbox

    rows = Outbox.objects.filter(delivered=None).values_list("pk", "topic", "attempts", "last_error")[:20]
    return [f"outbox {row}" for row in rows]


def unsettled() -> list[str]:
    from repos.models import Push

    return [f"push {pk} is not settled" for pk in Push.objects.filter(state="prepared").values_list("pk", flat=True)]


def claimed() -> list[str]:
    from repos.pulls.models import PullRequest

    return [f"pull {pk} is claimed" for pk in PullRequest.objects.exclude(claimed=None).values_list("pk", flat=True)]


def pulls(repository: Any) -> list[str]:
    """Merged exactly when its commit is in the base."""
    from repos.pulls import branches
    from repos.pulls.models import PullRequest

    found = []
    for pull in PullRequest.objects.filter(issue__repository=repository).select_related("issue__repository__owner"):
        inside = bool(pull.merge_commit) and branches.contains(repository, pull.base, pull.merge_commit)
        if inside != bool(pull.merged) or inside != (pull.issue.state == "merged"):
            found.append(f"#{pull.number} is {pull.issue.state}, merged {pull.merged}, in the base: {inside}")
    return found


def refs_and_pushes(repository: Any) -> list[str]:
    """Every ref is where its last applied update has put it, and no applied update is missing from git."""
    from repos.git.store import ZERO, refs
    from repos.models import RefUpdate

    told = {}
    for update in RefUpdate.objects.filter(push__repository=repository, applied=True).order_by("push_id"):
        told[update.ref] = update.new
    told = {ref: new for ref, new in told.items() if new != ZERO}
    # These are the hub's own: they repeat what rows of pull requests say, and no push moves them.
    own = ("refs/pull/", "refs/reviewed/")
    there = {ref: oid for ref, oid in refs(repository.path).items() if not ref.startswith(own)}
    return [f"{ref}: git {there.get(ref)}, rows {told.get(ref)}" for ref in there.keys() ^ told.keys()] + [
        f"{ref}: git {there[ref]}, rows {told[ref]}" for ref in there.keys() & told.keys() if there[ref] != told[ref]
    ]


def blobs() -> list[str]:
    """No row without its bytes."""
    from datasets.models import Blob
    from hub.lib.objectstore import FolderStore
    from hub.lib.stores import object_store

    store, found = object_store(), []
    for blob in Blob.objects.iterator():
        if not store.exists(blob.key):
            found.append(f"blob {blob.key} has a row and no bytes")
        elif isinstance(store, FolderStore):
            data = (store.root / blob.key).read_bytes()
            if (hashlib.sha256(data).hexdigest(), len(data)) != (blob.sha256, blob.size):
                found.append(f"blob {blob.key} has other bytes")
    return found


def counters(repository: Any) -> list[str]:
    """What is shown as a count, against a recount."""
    from datasets.tracked import indexing as datasets_indexing
    from experiments import runs
    from experiments.mlflow.context import workspace_of
    from experiments.registry import reading
    from repos.git.store import refs
    from repos.issues import counting

    shown = {
        name: getattr(repository, name)
        for name in (
            *("runs_count", "models_count", "outputs_count", "stars_count"),
            *("issues_count", "pulls_count", "empty"),
        )
    }
    true = {
        "runs_count": runs.count(workspace_of(repository.pk)),
        "models_count": reading.count(workspace_of(repository.pk)),
        "outputs_count": datasets_indexing.refresh(repository.pk),
        "stars_count": repository.stars.count(),
        "empty": not refs(repository.path, "refs/heads/"),
        **counting.recount(repository.pk),
    }
    return [f"{name} is {shown[name]}, counted {true[name]}" for name in shown if shown[name] != true[name]]


def leftovers(repository: Any) -> list[str]:
    """What is still there after the hub's own tidying has run an hour later."""
    from django.conf import settings

    from hub.lib.objectstore import FolderStore
    from hub.lib.stores import object_store
    from repos.git import maintenance

    later = time.time() + HOUR_SECONDS + 60
    maintenance.tidy(repository.path, now=later)
    maintenance.tidy_temporary(settings.TMP_ROOT, settings.GIT_ROOT, now=later)
    store = object_store()
    found: list[Path] = []
    if isinstance(store, FolderStore):
        store.sweep(older_than_seconds=-60)
        found += store.temporary.iterdir()
    found += repository.path.rglob("tmp_*")
    found += repository.path.rglob("*.lock")
    found += settings.GIT_ROOT.glob("*/new-*")
    found += settings.TMP_ROOT.glob("*")
    return [f"left behind: {path}" for path in found]


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    django.setup(set_prefix=False)
    print("FACTS " + json.dumps(main(sys.argv[1])))
