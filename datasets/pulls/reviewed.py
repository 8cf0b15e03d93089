"""A rule of a branch: no data changes in a pull request that nobody has approved since."""

from __future__ import annotations

from collections.abc import Iterator

from repos.git import commands
from repos.git.read import shown
from repos.place import store_of
from repos.protection.owners import MOST_PATHS, changed_paths
from repos.pulls import branches, requirements
from repos.pulls.models import PullRequest
from repos.pulls.requirements import Unmet
from repos.reviews import standing

UNKNOWN = "one of very many files"  # no pointer is called so


@requirements.register
def data_is_reviewed(pull: PullRequest, base: str, head: str) -> Iterator[Unmet]:
    """The newest approval that counts is of a head whose data is the same. What the base alone brought is no change:
    it was reviewed where it was merged."""
    if pull.asked is None or not pull.asked.reviewed_data:
        return
    changed = data_of(pull, branches.parted(pull.repository, base, head), head)
    given = max(standing.approvals(pull), key=lambda word: word.review.pk, default=None)
    here = given and commands.succeeds(store_of(pull.repository), "cat-file", "-e", given.review.head_id)
    if given is not None and here and changed:
        later = data_of(pull, given.review.head_id, head)
        changed = later if UNKNOWN in changed else changed if UNKNOWN in later else changed & later
    if changed:
        since = f"after {given.author.username} approved" if given else "and nobody has approved it"
        why = f"{shown(min(changed))}{_more(changed)} changed {since}."
        yield Unmet("Unreviewed data", why, "Ask for a review of the Data tab.", by_rule=True)


def data_of(pull: PullRequest, start: str, head: str) -> set[str]:
    """The pointers of data that differ between two commits: .dvc files, and dvc.lock of pipelines; UNKNOWN is among
    them where more files differ than are looked at."""
    paths = changed_paths(pull.repository, start, head)
    found = {path for path in paths if path.endswith(".dvc") or path.rpartition("/")[2] == "dvc.lock"}
    return found | {UNKNOWN} if len(paths) > MOST_PATHS else found


def _more(changed: set[str]) -> str:
    return f" and {len(changed) - 1} more" if len(changed) > 1 else ""
