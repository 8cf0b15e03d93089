"""refs/pull/<number>/merge: what the base would be after the merge, to be fetched and tried before it is merged.

Written by a Job, never while somebody waits: after a push to the head, and when somebody looks at a request whose base
has moved. The ref goes as soon as either branch moves. The commit is made of the two tips alone, so writing it again
stores nothing new.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run
from hub.jobs.models import Job
from hub.lib.errors import Busy
from repos import repositories
from repos.git import commands, history, writing
from repos.git.read import shown
from repos.git.store import ZERO, ObjectsRefused, RefChange, RefMoved, move_refs, refs
from repos.issues.models import Issue
from repos.models import Repository
from repos.place import store_of
from repos.pulls import branches, mergeability, origins, verdicts
from repos.pulls.models import PullRequest
from repos.storage import store

WRITE = "pulls.test_merge"
ATTEMPTS = 3
MOST_WAITING = 20  # of one repository: its other jobs have room beside them
Known = dict[str, tuple[str, list[str]]]


def want(pull: PullRequest) -> None:
    """Have it written, unless it is there for these tips. When the hub has too much to do, whoever looks next asks."""
    tips = branches.now(pull)
    waiting = Job.objects.filter(repository_id=pull.repository.pk, kind=WRITE, state=Job.State.QUEUED)
    if _is_of(_known(pull.repository, pull.merge_ref), pull, tips.base, tips.head):
        return
    if waiting.count() < MOST_WAITING:
        with contextlib.suppress(Busy):
            jobs.start(WRITE, f"{WRITE}:{pull.pk}", {"pull": pull.pk}, repository_id=pull.repository.pk, again=True)


def forget_stale(repository: Repository) -> None:
    """Remove the refs of requests whose branches are elsewhere by now, or that are over. Safe to run twice."""
    known = _known(repository, "refs/pull/*/merge")
    if not known:
        return
    heads, fresh = refs(store_of(repository), "refs/heads/"), set()
    numbers = [int(ref.split("/")[2]) for ref in known]
    open_ones = PullRequest.objects.filter(issue__repository=repository, issue__state=Issue.State.OPEN)
    for pull in open_ones.filter(issue__number__in=numbers).select_related("issue"):
        if _is_of(known, pull, heads.get(pull.base_ref), pull.head_id):
            fresh.add(pull.merge_ref)
    _remove(repository, {ref: found for ref, found in known.items() if ref not in fresh})


def _is_of(known: Known, pull: PullRequest, base: str | None, head: str | None) -> bool:
    return pull.merge_ref in known and known[pull.merge_ref][1] == [base, head]


def _known(repository: Repository, pattern: str) -> Known:
    """ref → (its commit, that one's parents)."""
    form = "--format=%(refname) %(objectname) %(parent)"
    out = commands.run(store_of(repository), "for-each-ref", form, "--", pattern)
    rows = (line.split() for line in out.decode("utf-8", "surrogateescape").splitlines())
    return {ref: (commit, parents) for ref, commit, *parents in rows}


def _remove(repository: Repository, known: Known) -> None:
    if known:
        with contextlib.suppress(RefMoved):  # somebody writes a new one this moment, which is for the new tips
            move_refs(store_of(repository), [RefChange(ref, commit, ZERO) for ref, (commit, _) in known.items()])


@jobs.handler(WRITE)
def write(run: Run) -> dict[str, Any]:
    """Arguments: pull. The commit that the ref has now, "" where there is none."""
    rows = PullRequest.objects.select_related("issue__repository__owner", "issue__author", "head_repository__owner")
    for _ in range(ATTEMPTS):
        pull = rows.filter(pk=run.job.arguments["pull"], issue__repository__deleted=None).first()
        if pull is None:
            return {"commit": ""}
        with contextlib.suppress(RefMoved):
            return {"commit": _write(run, pull)}
    return {"commit": ""}  # it moves all the time: after the last push it is asked for again


def _write(run: Run, pull: PullRequest) -> str:
    """Raises RefMoved."""
    repository, tips = pull.repository, branches.now(pull)
    known = _known(repository, pull.merge_ref)
    old, made = known[pull.merge_ref][0] if known else ZERO, ""
    if pull.issue.is_open and tips.base and tips.head:
        if _is_of(known, pull, tips.base, tips.head):
            return old
        made = _made(run, pull, tips.base, tips.head, old)
    if made and not Issue.objects.filter(pk=pull.pk, state=Issue.State.OPEN).exists():  # closed while it was made
        known, made = _known(repository, pull.merge_ref), ""
    if not made:
        _remove(repository, known)
    return made


def _made(run: Run, pull: PullRequest, base: str, head: str, old: str) -> str:
    """ "" when it cannot be merged."""
    repository = pull.repository
    if branches.merge_base(repository, base, head) in {None, head}:
        return ""
    with store().quarantine(repository.pk) as quarantine:
        try:
            found = mergeability.merged(repository, quarantine, base, head, keep=True, beat=run.progress)
        except Busy as error:
            raise Failed(f"{error.message} {error.details}") from error
        verdicts.learn(repository, base, head, found)
        if not mergeability.with_missing(repository, found, base, head, lender=origins.lender(pull)).clean:
            return ""
        with writing.object_store(quarantine.objects) as objects:
            commit = writing.add_commit(
                objects,
                tree=found.tree,
                parents=[base, head],
                author=repositories.hub_author(),
                message=f"Merge {shown(pull.head)} into {shown(pull.base)}",
                when=_later(pull, base, head),
            )
        quarantine.keep_only(commit, base)
        change, unmoved = RefChange(pull.merge_ref, old, commit), {pull.base_ref: base, pull.merged_ref: head}
        try:
            # The hub's own ref, and made of what is there: no push and no policy, as for refs/pull/<number>/head.
            store().publish(repository.pk, quarantine, [change], unmoved=unmoved)
        except ObjectsRefused as error:
            raise Failed("Git refuses the merged files.") from error
    return commit


def _later(pull: PullRequest, base: str, head: str) -> int:
    """The time of the younger tip in seconds since 1970, which makes the commit the same each time."""
    found = history.commits(store_of(pull.repository), [base, head])
    return max(0, *(int(commit.committed.timestamp()) for commit in found.values()))
