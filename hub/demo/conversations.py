"""What people say in the demo: five issues with labels and a milestone, and the open pull request "Clean labels"."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub.accounts.actor import Actor, Area
from hub.lib.errors import Busy
from repos import access
from repos.git.store import refs
from repos.issues import conversation, labels, milestones, opening, states, threads, triage
from repos.issues.threads import Spot
from repos.models import Access, Repository
from repos.place import store_of
from repos.pulls import opening as pulls
from repos.statuses import posting

CRASH = """Training stops in epoch 41 with the raw table:

```
ValueError: temperature_c is out of range: 999.0
```

- [x] Find the rows
- [x] Look at the sensor's log
- [ ] Drop them in `src/prepare.py`
"""
MISSPELT = """Some rows call a *ptarmigan* a "ptarmigen". The counts of both are too low.

| written | rows |
|---|---|
| ptarmigen | 21 |
| partrige | 16 |

See the branch `clean-labels`."""
LOSS = "The Poisson loss underestimates large groups. A negative binomial loss has one parameter more: $\\alpha$."
CLEAN = """Fixes #2: mends the species of 37 rows, and drops those where the sensor was broken (see #1).

Trained again on data:data/observations.csv@clean-labels, for 80 epochs instead of 60."""
TOPICS = [
    ("Training stops at a temperature of 999", CRASH, ["bug", "bad data"]),
    ("Misspelt species", MISSPELT, ["bad data"]),
    ("Try a loss for counts that vary more", LOSS, ["experiment"]),
    ("Write down how the photographs were taken", "", ["documentation"]),
    ("Which camera took the pictures?", "The shadows differ.", ["question"]),
]

PATIENCE_SECONDS = 60
STATUSES = [("ci/tests", "14 passed"), ("data/validation", "Every species is in the list")]


def talk(repository: Repository, actor: Actor) -> None:
    """As the owner of a repository that has the branches main and clean-labels, and no issue yet."""
    assert actor.user
    access.check(actor, repository, need=Access.WRITE, area=Area.ISSUES)
    labels.suggest(actor, repository)
    milestone = milestones.create(actor, repository, title="Clean data", description="Before the next season.")
    for title, body, names in TOPICS:
        issue = opening.open_issue(
            actor,
            repository,
            title=title,
            body=body,
            labels=labels.named(repository, names),
            milestone=milestone if "bad data" in names else None,
        )
    conversation.comment(actor, issue, "The same one; the flash was broken on that day.")
    states.close(actor, issue)
    pull = pulls.open_pull(actor, repository, title="Clean labels", body=CLEAN, base="main", head="clean-labels")
    triage.set_labels(actor, pull.issue, labels.named(repository, ["bad data"]))
    for context, said in STATUSES:
        posting.post(actor, repository, pull.head_id, state="success", context=context, description=said)
    conversation.comment(
        actor,
        pull.issue,
        "The error of the counts fell from 0.63 to 0.58. The best accuracy is still that of an older run.",
    )
    tips = refs(store_of(repository), "refs/heads/")
    row = Spot("row", "data/observations.csv", tips["refs/heads/clean-labels"], {"row": 12})
    _once_there(lambda: threads.begin(actor, pull.issue, row, "Is this count right? The picture shows fewer."))
    shadow = Spot("image", "data/images/quail/002.png", tips["refs/heads/main"], {"region": [0.1, 0.55, 0.5, 0.35]})
    threads.begin(actor, issue, shadow, "Here the shadow falls to the left.")


def _once_there(say: Callable[[], object]) -> None:
    """A worker may be reading the table just now. Raises Busy after a minute."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            say()
            return
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
