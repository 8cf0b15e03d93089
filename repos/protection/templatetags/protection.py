"""What the merge box asks of this app: {% load protection %}."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from repos.protection import boxes
from repos.protection.boxes import Checks
from repos.pulls.models import PullRequest
from repos.pulls.requirements import Unmet

register = template.Library()


@register.simple_tag
def checks_of(pull: PullRequest, head: str, unmet: Sequence[Unmet]) -> Checks:
    return boxes.checks_of(pull, head, unmet)
