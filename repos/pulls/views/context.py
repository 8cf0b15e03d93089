"""What every page of a pull request is given."""

from __future__ import annotations

from typing import Any

from repos.git import read
from repos.pulls import messages
from repos.pulls.models import PullRequest


def context_of(pull: PullRequest, section: str) -> dict[str, Any]:
    return {
        "repository": pull.repository,
        "tab": "pulls",
        "section": section,
        "pull": pull,
        "issue": pull.issue,
        "base_shown": read.shown(pull.base),
        "head_shown": messages.label(pull),
    }
