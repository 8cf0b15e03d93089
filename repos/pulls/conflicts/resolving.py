"""From choices to one merge commit of the base into the request's branch: exactly once, or not at all.

Whoever resolves names the two tips they looked at. The commit is made of these, of the choices and of the time of the
job alone, so a run after a killed one makes the same commit again and sees in git whether it was published.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run
from hub.jobs.models import Job
from hub.lib.errors import Conflict, HubError, Unprocessable
from repos import publishing, repositories
from repos.git import merge, writing
from repos.git.commands import GitTimeout
from repos.git.read import shown, to_bytes
from repos.git.store import Quarantine, RefChange
from repos.git.writing import Parts, PathConflict, TreeFile
from repos.models import Repository
from repos.pulls import branches, drivers, origins
from repos.pulls.conflicts import choosing, files, listing, places, texts
from repos.pulls.conflicts.files import DATA, SIDE, TEXT, File
from repos.pulls.conflicts.listing import Listing
from repos.pulls.drivers import SIDES, Beat, Choice, Choices, Unfit
from repos.pulls.models import PullRequest
from repos.storage import store

RESOLVE = "pulls.resolve"
MAX_MESSAGE_CHARACTERS = 10_000
MOVED = "The branches moved while you chose."
LOOK = "What you chose stays where a file's versions are the same. Look through the list again."


@dataclass(frozen=True)
class Order:
    """ours, theirs: the tips that were looked at. choices: by the digest of the file. token_id: of who asked."""

    ours: str
    theirs: str
    choices: dict[str, Choices]
    message: str = ""
    via: str = "web"

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "ours": self.ours,
            "theirs": self.theirs,
            "message": self.message.replace("\0", "").strip()[:MAX_MESSAGE_CHARACTERS],
            "via": self.via,
            "choices": {
                digest: {"rest": each.rest, "places": {n: [c.word, c.text] for n, c in each.places.items()}}
                for digest, each in self.choices.items()
            },
        }


def begin(actor: Actor, pull: PullRequest, order: Order) -> Job:
    """The job that makes the commit; of a few files of text it has ended already. Raises Conflict (a branch moved, or
    something must be pushed first), Unprocessable (not decided), Denied, Busy."""
    user = choosing.chooser(actor, pull)
    if listing.tips(pull) != (order.ours, order.theirs):
        raise Conflict(MOVED, details=LOOK)
    found = listing.listing(pull, order.ours, order.theirs, user_id=user.pk)
    if found is None:
        raise Conflict("The conflicts are being looked at.", details="Try again in a moment.")
    check(found, order.choices)
    arguments = order.as_json | {"pull": pull.pk, "user": user.pk, "token": actor.token_id}
    digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()
    quick = len(found.files) <= listing.QUICK_FILES and all(file.kind != DATA for file in found.files)
    key = f"{key_of(pull, order.ours, order.theirs)}{digest[:32]}"
    done = Job.objects.filter(key=key, state=Job.State.DONE).first()
    if done and not (done.result or {}).get("commit"):
        jobs.restart(done, at_once=quick)  # it was refused for what may be mended by now
        return done
    return jobs.start(
        RESOLVE,
        key,
        arguments,
        repository_id=pull.repository.pk,
        user_id=user.pk,
        again=True,
        at_once=quick,
    )


def key_of(pull: PullRequest, ours: str, theirs: str) -> str:
    return f"{RESOLVE}:{pull.pk}:{ours[:20]}:{theirs[:20]}:"


def latest(pull: PullRequest, ours: str, theirs: str) -> Job | None:
    """The last attempt to resolve these two tips."""
    found = Job.objects.filter(kind=RESOLVE, key__startswith=key_of(pull, ours, theirs))
    return found.order_by("-created", "-pk").first()


def under_way(pull: PullRequest) -> Job | None:
    """An attempt that has not ended, whatever tips it is of: the branch moves by its commit a moment before that."""
    return Job.objects.filter(kind=RESOLVE, key__startswith=f"{RESOLVE}:{pull.pk}:", state__in=jobs.OPEN).first()


def check(found: Listing, choices: dict[str, Choices]) -> None:
    """Raises Conflict when something must be pushed first, Unprocessable when a place is not decided."""
    for file in found.missing:
        assert file.opened
        raise Conflict(
            f"'{file.path_shown}' names data that was never pushed here: {', '.join(file.missing[:5])}.",
            details=f"Run: {file.opened.command}",
        )
    left = []
    for file in found.files:
        if count := choices.get(file.digest, Choices()).undecided(file.total):
            left.append(f"{file.path_shown} ({count:,} of {file.total:,})")
    if left:
        more = f" and {len(left) - 10} more files" if len(left) > 10 else ""
        raise Unprocessable(f"Not decided yet: {', '.join(left[:10])}{more}.", details="Choose a side for each place.")


@jobs.handler(RESOLVE)
def resolve(run: Run) -> dict[str, Any]:
    """Arguments: pull, user, token, and an Order. {"commit"}, or {"code", "error", "details"} of a refusal."""
    asked = run.job.arguments
    pull = listing.request_of(asked["pull"])
    user = User.objects.filter(pk=asked["user"], is_active=True).first()
    if user is None:
        raise Failed("Whoever asked for this is gone.")
    actor = Actor(user=user, token_id=asked["token"])
    try:
        commit = _resolved(actor, user, pull, run)
    except Unfit as error:
        where = f"Place {error.number}: " if error.number is not None else ""
        return {"code": Unprocessable.code, "error": f"{where}{error}", "details": "Choose again, then commit."}
    except HubError as error:
        return {"code": error.code, "error": error.message, "details": error.details}
    except GitTimeout as error:
        raise Failed("This merge takes too long here.") from error
    choosing.forget(pull)
    return {"commit": commit}


def _resolved(actor: Actor, user: User, pull: PullRequest, run: Run) -> str:
    asked, target = run.job.arguments, pull.source
    ours, theirs = asked["ours"], asked["theirs"]
    choosing.chooser(actor, pull)  # minutes may have gone by
    if pull.head_repository is not None:  # the fork gets what it merges, and the data that this names
        if pull.repository.private:
            repositories.keep_private(target)
        origins.bring(target, pull.repository, theirs)
        drivers.lend(pull.repository, target, [theirs], [ours], beat=run.progress)
    with store().quarantine(target.pk) as quarantine:
        found = merge.merge_tree(quarantine.repository, ours, theirs, extra=quarantine.environment)
        reading = files.Reading(target, quarantine, theirs, run.progress)
        known = listing.of(ours, theirs, list(files.of_merge(reading, found)))
        choices = {digest: _choices(one) for digest, one in asked["choices"].items()}
        check(known, choices)
        tree = _tree(target, quarantine, found, known, choices, run.progress)
        commit = _commit(user, pull, quarantine, tree, run.job)
        quarantine.keep_only(commit, ours)  # without what git writes of files in conflict
        if branches.contains(target, pull.head, commit):
            return commit  # of a run that was killed after it had published
        _publish(actor, pull, quarantine, RefChange(pull.head_ref, ours, commit), theirs, asked["via"])
    return commit


def _choices(one: dict[str, Any]) -> Choices:
    return Choices({int(n): Choice(*made) for n, made in one["places"].items()}, one["rest"])


def _tree(
    repository: Repository,
    quarantine: Quarantine,
    found: merge.Merge,
    known: Listing,
    choices: dict[str, Choices],
    beat: Beat,
) -> str:
    edits: dict[Parts, TreeFile | None] = {_parts(file): None for file in known.gone}
    made: list[tuple[File, bytes]] = []
    for number, file in enumerate(known.files):
        beat(number, len(known.files))
        mine = choices.get(file.digest, Choices())
        if file.kind == SIDE:
            edits[_parts(file)] = _side(file, mine.of(0))
        else:
            made.append((file, _content(repository, known, file, mine, beat)))
    with writing.object_store(quarantine.objects) as objects:
        for file, data in made:
            edits[_parts(file)] = TreeFile(file.merged_mode, writing.add_blob(objects, data))
        try:
            return writing.updated_tree(objects, found.tree, edits)
        except PathConflict as error:
            raise Unfit(f"{error} A file and a folder cannot have one name: remove one of them.") from error


def _side(file: File, choice: Choice | None) -> TreeFile | None:
    assert choice, "check() has seen it"
    return file.side(choice.word) if choice.word in SIDES else None


def _content(repository: Repository, known: Listing, file: File, mine: Choices, beat: Beat) -> bytes:
    sides = files.sides_of(repository, file, known.ours, known.theirs)
    if file.kind == TEXT:
        return texts.merged(repository, sides, mine)
    assert file.opened
    try:
        outcome = places.driver_of(file).resolve(repository, sides, file.opened, mine, beat=beat)
    except Unfit as error:
        raise Unfit(f"{file.path_shown}: {error}", error.number) from error
    if outcome.data is None:
        lost = ", ".join(outcome.missing[:5]) or ", ".join(outcome.conflicts[:5])
        raise Conflict(f"'{file.path_shown}' cannot be merged: {lost}.", details=f"Run: {outcome.command}")
    return outcome.data


def _commit(user: User, pull: PullRequest, quarantine: Quarantine, tree: str, job: Job) -> str:
    who = repositories.author_of(user)
    usual = f"Merge {shown(pull.base)} into {shown(pull.head)}\n\nConflicts of #{pull.number} resolved on its page."
    with writing.object_store(quarantine.objects) as objects:
        return writing.add_commit(
            objects,
            tree=tree,
            parents=[job.arguments["ours"], job.arguments["theirs"]],
            author=who,
            message=job.arguments["message"] or usual,
            when=int(job.created.timestamp()),
        )


def _publish(actor: Actor, pull: PullRequest, quarantine: Quarantine, change: RefChange, theirs: str, via: str) -> None:
    """Both heads in one step; the base of a fork's request lies in another store, and is looked at just before."""
    unmoved = {f"refs/heads/{pull.base}": theirs} if pull.head_repository is None else {}
    if branches.now(pull).base != theirs:
        raise Conflict(MOVED, details=LOOK)
    try:
        publishing.publish(pull.source, actor, [change], quarantine=quarantine, unmoved=unmoved, via=via)
    except Conflict as error:
        raise Conflict(MOVED, details=LOOK) from error


def _parts(file: File) -> Parts:
    return tuple(to_bytes(file.path).split(b"/"))


class AttemptObject(TypedDict):
    """state: queued, running, done (with commit) or failed (with error and details)."""

    state: str
    commit: NotRequired[str]
    code: NotRequired[str]
    error: NotRequired[str]
    details: NotRequired[str]


def answer(job: Job) -> AttemptObject:
    """What the API and the page tell of an attempt: state, and commit or error."""
    result = job.result or {}
    if job.state == Job.State.FAILED:
        return {"state": "failed", "error": job.error, "details": "Try again, or resolve it on your machine."}
    if job.state in jobs.OPEN:
        return {"state": job.state}
    if "commit" in result:
        return {"state": "done", "commit": result["commit"]}
    code, error, details = (result.get(name, "") for name in ("code", "error", "details"))
    return {"state": "failed", "code": code, "error": error, "details": details}
