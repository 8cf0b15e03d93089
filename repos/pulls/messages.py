"""What the commit of a merge says."""

from __future__ import annotations

from repos.git import history
from repos.git.read import shown
from repos.place import store_of
from repos.pulls.models import PullRequest

COMMITS_NAMED = 50  # in the message of a squash


def of_merge(pull: PullRequest, text: str, *, squash: bool, base: str, head: str) -> str:
    """text: what somebody wrote instead, its first line the subject."""
    if text.strip():
        return text.replace("\0", "").strip()
    subject = f"{pull.issue.title} (#{pull.number})" if squash else usual_subject(pull)
    body = _subjects(pull, base, head) if squash else pull.issue.title
    return f"{subject}\n\n{body}".strip()


def usual_subject(pull: PullRequest) -> str:
    return f"Merge pull request #{pull.number} from {label(pull)}"


def label(pull: PullRequest) -> str:
    """The branch that is merged, with whose it is where that is a fork's."""
    return f"{pull.source.owner.name}:{shown(pull.head)}" if pull.head_repository else shown(pull.head)


def _subjects(pull: PullRequest, base: str, head: str) -> str:
    """The commits that become one, oldest first."""
    found = history.log(store_of(pull.repository), head, without=base, limit=COMMITS_NAMED).commits
    return "\n".join(f"* {commit.subject}" for commit in reversed(found)) if len(found) > 1 else ""
