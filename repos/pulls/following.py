"""What a push means for open pull requests: their head or base moved, or what they ask for was merged outside."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.db import transaction
from django.db.models import F, Q

from hub.accounts.models import User
from hub.jobs import outbox
from hub.lib.errors import TooLarge
from repos.git import commands, history
from repos.git.read import shown
from repos.git.store import ZERO, refs
from repos.issues import closing, states
from repos.issues.conversation import record
from repos.issues.models import Issue
from repos.models import Push, RefUpdate, Repository
from repos.place import store_of
from repos.pulls import branches, merging, origins, signals, testmerges
from repos.pulls.models import PullRequest

logger = logging.getLogger("covey.pulls")
HEADS = "refs/heads/"
COMMITS_READ = 1_000  # of one push to the default branch


def after_push(push: Push) -> None:
    """May run twice and late: git is asked where the branches are by now."""
    repository = push.repository
    moved = {row.ref.removeprefix(HEADS): row for row in push.updates.filter(applied=True, ref__startswith=HEADS)}
    for pull in _from(repository, moved):
        follow_head(pull, push.user)
    for name in moved:
        settle_base(repository, name)
    for pull in _from(repository, moved):
        close_without_head(pull, push.user)
    if moved:
        testmerges.forget_stale(repository)
    for pull in _from(repository, moved):
        testmerges.want(pull)
    if row := moved.get(repository.default_branch):
        obey_commits(repository, row, push.user)


def follow_head(pull: PullRequest, user: User | None) -> None:
    """Remember where the head is now, and say so in the conversation."""
    tip = branches.head_moved(pull)
    if tip is None or pull.claimed:  # a claim is settled with the head it has
        return
    if pull.head_repository is not None:
        try:
            came = origins.bring(pull.repository, pull.head_repository, tip, giver=pull.issue.author)
        except TooLarge:  # whoever merges hears of it
            logger.warning("pull request %s: what was pushed to its fork is too large", pull.pk)
            return
        PullRequest.objects.filter(pk=pull.pk).update(brought=F("brought") + came)
    forced = not history.contains(store_of(pull.repository), tip, pull.head_id)
    if forced:
        branches.keep(pull, pull.head_id)
    branches.pin(pull, tip)
    with transaction.atomic():
        if PullRequest.objects.filter(pk=pull.pk, head_id=pull.head_id, merged=None).update(head_id=tip):
            record(pull.issue, "forced" if forced else "pushed", user, old=pull.head_id, new=tip)
            outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})


def settle_base(repository: Repository, base: str) -> None:
    """Requests into this branch that are in it by now: merged by a hub that died before it wrote that down, or by
    somebody who merged on their own machine."""
    store = store_of(repository)
    heads = refs(store, HEADS)
    tip, pulls = heads.get(f"{HEADS}{base}"), _open(issue__repository=repository, base=base)
    if tip is None or not pulls:
        return
    listed = commands.run(store, "for-each-ref", f"--merged={tip}", "--format=%(refname)", "--", HEADS, "refs/pull/")
    inside = set(listed.decode("utf-8", "surrogateescape").splitlines())
    for pull in pulls:
        head = pull.merged_ref
        if pull.merge_commit and branches.contains(repository, base, pull.merge_commit):
            merging.finish(pull, pull.merge_commit, None)
        elif (head if head in heads else pull.ref) in inside and not pull.claimed:
            merging.finish(pull, pull.head_id, None)


def close_without_head(pull: PullRequest, user: User | None) -> None:
    """A request whose branch is gone; its commits stay under refs/pull."""
    if not pull.claimed and branches.head_is_gone(pull):
        with transaction.atomic():
            if states.end(pull.issue, user):
                record(pull.issue, "head_deleted", user, branch=shown(pull.head))


def obey_commits(repository: Repository, row: RefUpdate, user: User | None) -> None:
    """`fixes #3` and `reopens #3` in commits that are new on the default branch, in their order."""
    if row.new == ZERO:
        return
    old = [f"^{row.old}"] if row.old != ZERO else []
    arguments = ("log", "-z", "--reverse", f"-n{COMMITS_READ}", "--format=%H%n%B", row.new, *old, "--")
    for one in commands.records(store_of(repository), *arguments):
        sha, _, message = one.decode("utf-8", "replace").partition("\n")
        closing.obey(repository, message, user, commit=sha)


def _from(repository: Repository, names: Collection[str]) -> list[PullRequest]:
    """Open ones that ask for these branches of a repository, in itself or in those it was forked from."""
    own = Q(issue__repository=repository, head_repository=None)
    return _open(own | Q(head_repository=repository, issue__repository__deleted=None), head__in=names)


def _open(*which: Q, **fields: object) -> list[PullRequest]:
    rows = PullRequest.objects.filter(*which, issue__state=Issue.State.OPEN, **fields)
    return list(rows.select_related("issue__repository__owner", "issue__author", "head_repository__owner"))
