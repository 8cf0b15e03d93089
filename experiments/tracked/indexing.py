"""Keep the runs that are made from git as git says: new commits get theirs, commits that are gone lose theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from datasets import objects
from datasets.dvc import keys
from datasets.tracked.commits import Commit
from experiments import commits as binding
from experiments import indexing
from experiments.mlflow import gitruns
from experiments.mlflow.context import workspace_of
from experiments.mlflow.gitruns import COMMIT_TAG, ONLY_TIP, GitRun, Present
from experiments.models import RunCommit, TrackedIndex
from experiments.tracked import commits, marks
from experiments.tracked.commits import MAX_BLOBS, Author, Reachable, Refs
from experiments.tracked.declared import Declared
from experiments.tracked.files import Made, made_of
from experiments.tracked.values import Reading, Values
from hub.lib.errors import HubError
from repos import cache
from repos.git.turns import turn
from repos.models import Repository
from repos.place import store_of

logger = logging.getLogger("covey.experiments")
Beat = Callable[[int], None]
MAX_WAITING = 500  # commits whose files of metrics were not pushed yet
MAX_TIPS = 20_000
_PIPELINES = ("dvc.yaml", "dvc.lock")
_MAX_TAG_CHARACTERS = 6_000
NOTE_TAG = "mlflow.note.content"


def refresh(repository: Repository, *, again: bool = False, beat: Beat = lambda _: None) -> int:
    """Read the commits that are new, and take away the runs of those that are gone; how many runs were written.

    again: read all of them, as if none was. Safe to run twice, and at the same time. beat is called every few seconds.
    Raises GitError.
    """
    if repository.empty:
        return 0
    with turn(store_of(repository), "tracked", look_seconds=0.5, waiting=lambda: beat(0)):
        state, _ = TrackedIndex.objects.get_or_create(repository=repository)
        return _Index(repository, state, again, beat).run()


class _Index:
    """One reading. there: by commit, the runs that are there, as far as they have been read or written."""

    def __init__(self, repository: Repository, state: TrackedIndex, again: bool, beat: Beat) -> None:
        self.repository, self.state, self.beat, self.again = repository, state, beat, again
        self.workspace = workspace_of(repository.pk)
        self.refs: Refs = commits.refs(repository)
        self.there = {each.sha: each for each in gitruns.present(self.workspace).values()}
        self.whole = again or len(self.there) != state.runs  # or a reading was cut short, or rows were lost
        self.made: dict[str, Made] = {}
        self.declared = Declared(repository)
        self.waiting: dict[str, list[str]] = {}
        self.tips: set[str] = set()
        self.written: set[str] = set()

    def run(self) -> int:
        names = {sha: exp.name for sha, exp in sorted(self.refs.exps.items())[:MAX_TIPS]}
        tips = {"named": sorted(self.refs.named)[:MAX_TIPS], "exps": names}
        arrived = self._arrived()
        if not self.whole and not arrived and tips == self.state.tips:
            return 0
        reach = commits.reachable(self.repository)
        wanted = list(dict.fromkeys([*self._new(), *arrived, *self._strayed(reach)]))
        self.tips = set(self._tips(wanted))
        self._write([*wanted, *self.tips], reach)
        self._forget(reach)
        TrackedIndex.objects.filter(pk=self.state.pk).update(
            tips=tips, runs=len(self.there), waiting=self._still_waiting(reach)
        )
        indexing.refresh(self.repository.pk)
        return len(self.written)

    # ---- which commits -------------------------------------------------------------------------
    def _new(self) -> Iterator[str]:
        """Commits that changed a file of metrics or params."""
        known = {} if self.whole else self.state.tips
        found = commits.new(self.repository, self.refs, named=known.get("named", []), exps=list(known.get("exps", {})))
        for number, commit in enumerate(found):
            self.beat(number)
            if self._changed(commit):
                yield commit.sha

    def _changed(self, commit: Commit) -> bool:
        made = self._made(commit.sha)
        if not made.sources and not made.named:
            return False
        changed = {blob.path for blob in commit.blobs[:MAX_BLOBS]}
        if changed & made.paths:
            return True
        if not any(path.rpartition("/")[2] in _PIPELINES for path in changed):
            return False
        parent = commits.authors(self.repository, [commit.sha])[commit.sha].parent
        return not parent or self._made(parent).identity != made.identity

    def _arrived(self) -> list[str]:
        """Commits whose missing files were pushed since."""
        wanted = {key for each in self.state.waiting.values() for key in each}
        here = objects.sizes(self.repository.pk, keys.BUCKET, sorted(wanted)).keys() if wanted else set()
        return [sha for sha, each in self.state.waiting.items() if here & {*each}]

    def _strayed(self, reach: Reachable) -> Iterator[str]:
        """Commits that a branch took over from an experiment, or the other way round; experiments with new names."""
        for sha, each in self.there.items():
            exp = self.refs.exps.get(sha)
            if each.source != marks.EXP:
                changed = sha in reach.exps
            else:
                changed = sha in reach.named or (exp is not None and exp.name != each.name)
            if changed:
                yield sha

    def _tips(self, besides: Sequence[str]) -> Iterator[str]:
        """Commits that are shown because a ref points at them, without those that are known to hold nothing."""
        for sha in sorted(binding.existing(self.repository, self.refs.shown - {*besides})):
            if self.again or (sha not in self.there and cache.known(self._nothing(sha)) is None):
                yield sha

    def _forget(self, reach: Reachable) -> None:
        """Remove the runs of commits that no ref leads to, and of tips that no ref points at any more."""
        stays = {
            sha
            for sha, each in self.there.items()
            if (sha in reach.named or sha in reach.exps)
            and (not each.only_tip or sha in self.refs.shown)
            and (not self.again or sha in self.written)
        }
        gone = [run_id for run_id, each in gitruns.present(self.workspace).items() if each.sha not in stays]
        gitruns.remove(self.workspace, gone)
        RunCommit.objects.filter(repository=self.repository, run_id__in=gone).delete()
        self.there = {sha: each for sha, each in self.there.items() if sha in stays}

    def _still_waiting(self, reach: Reachable) -> dict[str, list[str]]:
        old = {} if self.again else self.state.waiting
        both = {sha: found for sha, found in old.items() if sha not in self.made} | self.waiting
        return {sha: found for sha, found in both.items() if sha in reach.named or sha in reach.exps}

    # ---- what they say -------------------------------------------------------------------------
    def _made(self, sha: str) -> Made:
        if sha not in self.made:
            try:
                self.made[sha] = made_of(self.repository, sha, self.declared, self.beat)
            except HubError as error:  # a tree that git cannot list in time
                logger.warning("commit %s of repository %s is not read: %s", sha, self.repository.pk, error)
                self.made[sha] = Made()
        return self.made[sha]

    def _write(self, shas: Sequence[str], reach: Reachable) -> None:
        """Make the runs of these commits, those of experiments last: they hang below the run they started from."""
        authors = commits.authors(self.repository, shas)
        wanted = sorted(authors, key=lambda sha: sha in reach.exps)
        gitruns.write(self.workspace, self._runs(wanted, authors, reach))

    def _runs(self, wanted: Sequence[str], authors: dict[str, Author], reach: Reachable) -> Iterator[GitRun]:
        mades = [self._made(sha) for sha in wanted]
        reading, left = Reading(self.repository, mades, self.beat), iter(wanted)
        for sha, made in ((next(left), made) for batch in reading.batches(mades) for made in batch):
            found = reading.values(made, when=authors[sha].when)
            if made.missing and len(self.waiting) < MAX_WAITING:
                self.waiting[sha] = made.missing[:20]
            if found:
                yield self._run(sha, made, found, authors[sha], is_exp=sha in reach.exps)
            elif not made.missing:
                cache.keep(self._nothing(sha), True)

    def _run(self, sha: str, made: Made, found: Values, author: Author, *, is_exp: bool) -> GitRun:
        exp = self.refs.exps.get(sha) if is_exp else None
        source = marks.EXP if is_exp else marks.COMMIT if made.by_dvc else marks.DAGSHUB
        before = self.there.get(sha)
        only_tip = sha in self.tips or (before is not None and before.only_tip)
        name = exp.name if exp else author.subject or sha[:10]
        tags = {"mlflow.runName": name, "mlflow.user": author.name, COMMIT_TAG: sha, marks.SOURCE_TAG: source}
        if author.body:
            tags[NOTE_TAG] = author.body
        if only_tip:
            tags[ONLY_TIP] = "true"
        if found.problems:
            tags["covey.problems"] = " ".join(found.problems)[:_MAX_TAG_CHARACTERS]
        if exp and exp.baseline in self.there:
            tags["mlflow.parentRunId"] = marks.run_id_of(self.repository.pk, exp.baseline)
        self.there[sha] = Present(sha, source, name, only_tip)
        self.written.add(sha)
        run_id = marks.run_id_of(self.repository.pk, sha)
        return GitRun(run_id, name, author.name, author.when, found.params, found.points, found.final, tags)

    def _nothing(self, sha: str) -> str:
        return cache.key_of(self.repository, "tracked-nothing", sha)
