"""Bind runs to commits: a run's tag is the client's word, a binding says that the commit is in this repository."""

from __future__ import annotations

import re
from collections.abc import Mapping

from experiments.models import RunCommit
from repos.cache import by_refs
from repos.git import commands
from repos.git.store import RepositoryMissing
from repos.models import Repository
from repos.storage import store

_SHA = re.compile(r"[0-9a-f]{40}")


def bind(repository: Repository, named: Mapping[str, str]) -> dict[str, str]:
    """run id → commit for those whose named commit exists here. Known bindings cost one query, others one git, once
    until something is pushed."""
    wanted = {run_id: sha.lower() for run_id, sha in named.items() if _SHA.fullmatch(sha.lower())}
    if not wanted:
        return {}
    rows = RunCommit.objects.filter(repository=repository, run_id__in=wanted).values_list("run_id", "sha")
    known = {run_id: sha for run_id, sha in rows if wanted[run_id] == sha}
    unknown = {run_id: sha for run_id, sha in wanted.items() if run_id not in known}
    asked = sorted(set(unknown.values()))
    found = by_refs(repository, "commits", *asked, make=lambda: existing(repository, set(asked))) if asked else set()
    new = {run_id: sha for run_id, sha in unknown.items() if sha in found}
    if new:
        RunCommit.objects.bulk_create(
            [RunCommit(repository=repository, run_id=run_id, sha=sha) for run_id, sha in new.items()],
            update_conflicts=True,
            unique_fields=["repository", "run_id"],
            update_fields=["sha", "state"],  # whose data is another now
        )
    return known | new


def existing(repository: Repository, shas: set[str]) -> set[str]:
    """Which of these ids are commits of this repository."""
    if not shas:
        return set()
    try:
        path = store().open_for_read(repository.pk)
    except RepositoryMissing:
        return set()
    asked = "".join(f"{sha}\n" for sha in sorted(shas)).encode()
    answers = commands.run(path, "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
    lines = (line.split() for line in answers.decode().splitlines())
    return {words[0] for words in lines if words[1:] == ["commit"]}
