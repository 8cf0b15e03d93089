"""Reproduce: the shell lines that bring back, in an empty folder, the data of a commit, a run or a dataset version, and
make again what its stages made. tests/clients/test_reproduce.py runs them as they are shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from django.conf import settings

from datasets.dvc import locks
from datasets.dvc.documents import Malformed
from datasets.dvc.locks import Locked
from datasets.models import DatasetVersion
from datasets.stages.jobs import pipeline_files
from datasets.teaching import remote_url
from datasets.tracked.tracking import Output, contents_of, folders_at, tracked
from experiments import runs
from experiments.details import source
from experiments.lineage.nodes import COMMIT, DATASET, MODEL, RUN, Ref, commits_with, identity_of
from experiments.lineage.relations import commits_of, runs_of
from experiments.mlflow.context import workspace_of
from experiments.runs import Run
from repos.git import commands
from repos.models import Repository
from repos.place import store_of

MOST_TARGETS = 200  # named one by one; beyond them everything is pulled


def reproduce(repository: Repository, ref: Ref, *, user: str) -> str:
    """The lines, "" where there is nothing to reproduce: a run without a commit that is here, a file, a stage.

    user: whose name goes with the access token, which the lines take from $COVEY_TOKEN."""
    if ref.kind == DATASET:
        return _of_data(repository, ref.id, user)
    if ref.kind == COMMIT:
        return _of_commit(repository, ref.id, "", user)
    if ref.kind in {RUN, MODEL}:
        run_ids = [ref.id] if ref.kind == RUN else [run.id for _, run in runs_of(repository, [ref.id])]
        for run_id, commit in commits_of(repository, run_ids[:1]):
            found, _ = runs.run(workspace_of(repository.pk), run_id)
            return of_run(repository, found, commit.id, user=user)
    return ""


def of_run(repository: Repository, run: Run, commit: str, *, user: str, patch_url: str | None = None) -> str:
    """The same for a run and the commit it is bound to. patch_url: where the changes lie that were not committed, ""
    when they are told by a tag, None when there are none."""
    script = source.script(repository, run, commit)
    patch = [] if patch_url is None else [_apply(repository, patch_url)]
    return _of_commit(repository, commit, script, user, patch=patch, command=source.command(run, script))


def _of_data(repository: Repository, oid: str, user: str) -> str:
    """Checkout of a commit that brought it, and this output alone."""
    versions = DatasetVersion.objects.filter(repository=repository, identity=identity_of(oid)).order_by("pk")
    paths = dict(versions.values_list("pk", "path")[:MOST_TARGETS])
    for version, sha in commits_with(repository, list(paths)).items():
        output = tracked(repository, sha).outputs.get(paths[version])
        if output is not None:
            return "\n".join([*_checkout(repository, sha), *_remote(repository, user), _pull([output.path])])
    return ""


def _of_commit(
    repository: Repository, sha: str, script: str, user: str, *, patch: Sequence[str] = (), command: str = ""
) -> str:
    """With stages: the data that none of them makes and some need, and `dvc repro` for the rest. Where there are none,
    or none runs the script: all data, and the command."""
    outputs = tracked(repository, sha).outputs
    stages = stages_at(repository, sha)
    lines = [*_checkout(repository, sha), *patch]
    if stages and (not script or any(_runs(stage, script) for stage in stages)):
        wanted = _needed(outputs, stages)
        again = "dvc repro" if _at_root(repository, sha) else "dvc repro --all-pipelines"
    else:
        wanted = list(outputs)
        again = command
    if wanted:
        lines += [*_remote(repository, user), _pull(wanted) if len(wanted) <= MOST_TARGETS else "dvc pull"]
    return "\n".join([*lines, again] if again else lines)


def _runs(stage: Locked, script: str) -> bool:
    return any(word.removeprefix("./") == script for word in stage.cmd.split())


def stages_at(repository: Repository, sha: str) -> list[Locked]:
    """What every dvc.lock of a commit records; those that cannot be read are left out."""
    named = {path: oid for path, oid in pipeline_files(repository, sha).items() if path.endswith("dvc.lock")}
    contents = contents_of(store_of(repository), sorted(set(named.values())))
    folders = folders_at(repository, ((sha, path) for path in named))
    found: list[Locked] = []
    for path, oid in named.items():
        try:
            found += locks.records_of(contents.get(oid, b""), path, folders.get((sha, path), {}))
        except Malformed:
            continue
    return found


def _needed(outputs: dict[str, Output], stages: Sequence[Locked]) -> list[str]:
    """Outputs of .dvc files that a stage reads: the same path, something inside of it, or a folder around it."""
    read = [dep.path for stage in stages for dep in stage.deps]
    sources = (path for path, output in outputs.items() if output.pointer.endswith(".dvc"))
    return [path for path in sources if any(_overlap(path, dep) for dep in read)]


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _at_root(repository: Repository, sha: str) -> bool:
    return all("/" not in path for path in pipeline_files(repository, sha) if path.endswith("dvc.yaml"))


# ---- lines -------------------------------------------------------------------------------------
def _checkout(repository: Repository, sha: str) -> list[str]:
    lines = [f"git clone {settings.COVEY_URL}/{repository.full_name}.git", f"cd {shlex.quote(repository.name)}"]
    if repository.private:
        make = f"{settings.COVEY_URL}/settings/tokens makes one"
        lines.insert(0, f': "${{COVEY_TOKEN:?export COVEY_TOKEN=YOUR-ACCESS-TOKEN first; {make}}}"')
    if not _is_cloned(repository, sha):
        lines.append(f"git fetch origin {sha}")
    return [*lines, f"git checkout --detach {sha}"]


def _is_cloned(repository: Repository, sha: str) -> bool:
    """Whether a branch or tag leads to it: experiments of DVC have refs of their own."""
    words = ("for-each-ref", "--count=1", "--format=x", f"--contains={sha}", "refs/heads", "refs/tags")
    return bool(commands.run(store_of(repository), *words).strip())


def _apply(repository: Repository, patch_url: str) -> str:
    if not patch_url:
        return "git apply changes.patch  # what the run's page shows as not committed"
    token = '-H "Authorization: Bearer $COVEY_TOKEN" ' if repository.private else ""
    return f"curl -fsSL {token}{shlex.quote(patch_url)} | git apply"


def _remote(repository: Repository, user: str) -> list[str]:
    lines = [f"dvc remote add --local --default --force covey {remote_url(repository)}"]
    if repository.private:
        lines += [
            "dvc remote modify --local covey auth basic",
            f"dvc remote modify --local covey user {shlex.quote(user)}",
            'dvc remote modify --local covey password "$COVEY_TOKEN"',
        ]
    return lines


def _pull(paths: Iterable[str]) -> str:
    return "dvc pull " + " ".join(shlex.quote(f"./{path}" if path.startswith("-") else path) for path in paths)
