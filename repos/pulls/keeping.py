"""What the refs were that pull requests keep for themselves, for when the disk has lost one (repos.mending)."""

from __future__ import annotations

import re

from repos import mending
from repos.pulls.models import PullRequest

_KEPT = re.compile(r"refs/(?:pull/(?P<number>\d{1,9})/(?P<side>head|merge)|reviewed/\d+/(?P<commit>[0-9a-f]{40}))")


@mending.register
def known(repository_id: int, ref: str) -> str | None:
    """A head as last seen; of a test merge "", since testmerges makes it anew."""
    match = _KEPT.fullmatch(ref)
    if match is None:
        return None
    if match["commit"] or match["side"] == "merge":
        return match["commit"] or ""
    asked = PullRequest.objects.filter(issue__repository=repository_id, issue__number=int(match["number"]))
    return asked.values_list("head_id", flat=True).first()
