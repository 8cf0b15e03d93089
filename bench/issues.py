"""The list of 100,000 issues: `python -m bench.issues [--database postgres]`. The bound is 150 ms for three qualifiers.

One repository in a scratch hub, filled by bulk inserts: 50 people, 30 labels, 10 milestones; texts of 60 words that
come as often as in a language. Each search is asked for as a page by somebody signed in, through every middleware and
the template, in this process; beside it its peer: a bare Django queryset of the same rows, without the gate, menus,
counts and HTML. First, middle and last page of a long walk are measured too.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

BOUND_MS = 150
PEOPLE, LABELS, MILESTONES, WORDS = 50, 30, 10, 5_000
SEARCHES = {
    "state, author, label": 'is:open author:user7 label:"label 3"',
    "state, label, nobody, by update": 'is:open label:"label 3" no:assignee sort:updated-desc',
    "state, milestone, assignee": 'is:open milestone:"milestone 2" assignee:user5',
    "closed, not a label, by comments": 'is:closed -label:"label 1" no:milestone sort:comments-desc',
    "state, label, a common word": 'is:open label:"label 3" word3',
    "state, author, a rare word": "is:open author:user7 word4711",
    "state, label, no such word": 'is:open label:"label 3" absent',
    "state, two letters": 'is:open label:"label 3" rd',
}
missed: list[str] = []


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    options.add_argument("--issues", type=int, default=100_000)
    options.add_argument("--calls", type=int, default=30)
    chosen = options.parse_args()
    from tests.support import services

    home = Path(tempfile.mkdtemp(prefix="covey-bench-issues-"))
    home.chmod(0o755)  # PostgreSQL runs as another person
    (home / "hub").mkdir(mode=0o700)
    os.environ.update({"COVEY_HOME": str(home / "hub"), "DJANGO_SETTINGS_MODULE": "hub.settings"})
    os.environ["COVEY_URL"] = "http://testserver"
    if chosen.database == "postgres":
        os.environ.update(services.production_environment(str(home)))
    try:
        run(chosen)
    finally:
        services.stop_all()
        shutil.rmtree(home, ignore_errors=True)
    return bool(missed)


def run(chosen: argparse.Namespace) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"  # nothing was collected; no file is asked for
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": plain}}
    call_command("migrate", verbosity=0)
    started = time.monotonic()
    repository = fill(chosen.issues)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what autovacuum does within minutes, and the hub of SQLite at its start
    print(f"{chosen.issues:,} issues put into {chosen.database} in {time.monotonic() - started:.0f} s", flush=True)
    measure(repository, chosen.calls)
    connection.close()


# ---- rows ----------------------------------------------------------------------------------------
def fill(count: int) -> Any:
    from datetime import UTC, datetime, timedelta

    from hub.accounts.models import User
    from repos.issues.models import Counter, Issue, Label, Milestone
    from repos.models import Repository

    chance = random.Random(1)
    people = []
    for number in range(PEOPLE):
        person = User(username=f"user{number}", email=f"user{number}@example.org")
        person.set_unusable_password()
        person.save()
        people.append(person)
    repository = Repository.objects.create(owner=people[0].owner, name="big", private=True)
    labels = [Label(repository=repository, name=f"label {n}", name_key=f"label {n}") for n in range(LABELS)]
    Label.objects.bulk_create(labels)
    milestones = [Milestone(repository=repository, number=n, title=f"milestone {n}") for n in range(MILESTONES)]
    Milestone.objects.bulk_create(milestones)
    words, weights = [f"word{n}" for n in range(WORDS)], [1 / (n + 1) for n in range(WORDS)]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for first in range(1, count + 1, 5_000):
        texts = chance.choices(words, weights, k=70 * 5_000)
        rows = []
        for number in range(first, min(first + 5_000, count + 1)):
            said, created = texts[70 * (number - first) :], start + timedelta(minutes=7 * number)
            is_open = chance.random() < 0.3
            rows.append(
                Issue(
                    repository=repository,
                    number=number,
                    title=" ".join(said[:10]),
                    body=" ".join(said[10:70]),
                    author=chance.choice(people),
                    state="open" if is_open else "closed",
                    created=created,
                    updated=created + timedelta(minutes=chance.randrange(100_000)),
                    milestone=chance.choice(milestones) if chance.random() < 0.5 else None,
                    comments_count=chance.randrange(30),
                )
            )
        Issue.objects.bulk_create(rows)
        labelled, assigned = Issue.labels.through, Issue.assignees.through
        labelled.objects.bulk_create(
            labelled(issue_id=row.pk, label_id=label.pk) for row in rows for label in chance.sample(labels, 2)
        )
        assigned.objects.bulk_create(
            assigned(issue_id=row.pk, user_id=chance.choice(people).pk) for row in rows if chance.random() < 0.5
        )
    Counter.objects.create(repository=repository, last=count)
    return repository


# ---- what is measured ----------------------------------------------------------------------------
def measure(repository: Any, calls: int) -> None:
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(repository.owner.user)
    print(f"{'search':36}{'rows':>6}{'queries':>9}{'p50 ms':>9}{'p95 ms':>9}{'peer ms':>9}{'ratio':>8}")
    for name, text in SEARCHES.items():
        page = f"/{repository.full_name}/issues?{urlencode({'q': text})}"
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            first = client.get(page)
        queries = len(asked)
        assert first.status_code == 200, (name, first.status_code)
        rows = [int(number) for number in re.findall(r'class="issue-title" href="[^"]*/(\d+)"', first.content.decode())]
        peer = peer_of(repository, text)
        assert [issue.number for issue in peer()][:25] == rows, name
        pages, bare = [], []
        for _ in range(calls):  # in turns
            pages.append(timed(lambda page=page: client.get(page)))  # type: ignore[misc]
            bare.append(timed(peer))
        told(name, len(rows), queries, pages, bare)
    walk(client, repository, calls)


def walk(client: Any, repository: Any, calls: int) -> None:
    """Far into the list: a page that begins in the middle and one near the end."""
    for name, after in (("page in the middle", repository_middle(repository)), ("last page", 30)):
        page = f"/{repository.full_name}/issues?{urlencode({'q': '', 'after': after})}"
        assert client.get(page).status_code == 200
        told(name, 25, 0, [timed(lambda page=page: client.get(page)) for _ in range(calls)], [])  # type: ignore[misc]


def repository_middle(repository: Any) -> int:
    from repos.issues.models import Counter

    return int(Counter.objects.get(pk=repository.pk).last) // 2


def peer_of(repository: Any, text: str) -> Callable[[], list[Any]]:
    """The same rows by hand: ids are known, nobody is asked, nothing is counted."""
    from django.db.models import Q

    from hub.accounts.models import User
    from repos.issues import query
    from repos.issues.models import Issue, Label, Milestone

    wanted = query.parse(text)
    rows = Issue.objects.filter(repository_id=repository.pk, is_pull=False)
    rows = rows.filter(state=wanted.state)
    for name in wanted.authors:
        rows = rows.filter(author_id=User.objects.get(username=name).pk)
    for name in wanted.assignees:
        rows = rows.filter(assignees=User.objects.get(username=name).pk)
    for name in wanted.labels:
        rows = rows.filter(labels=Label.objects.get(name_key=name).pk)
    for name in wanted.without_labels:
        rows = rows.exclude(labels=Label.objects.get(name_key=name).pk)
    if wanted.milestone:
        rows = rows.filter(milestone_id=Milestone.objects.get(title=wanted.milestone).pk)
    if "milestone" in wanted.lacks:
        rows = rows.filter(milestone=None)
    if "assignee" in wanted.lacks:
        rows = rows.filter(assignees=None)
    for word in wanted.words:
        rows = rows.filter(Q(title__icontains=word) | Q(body__icontains=word))
    by = query.SORTS[wanted.sort]
    rows = rows.order_by(*dict.fromkeys([f"-{by}", "-number"])).select_related("author", "milestone")
    rows = rows.prefetch_related("labels", "assignees")
    return lambda: list(rows.all()[:26])


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def told(name: str, rows: int, queries: int, pages: list[float], bare: list[float]) -> None:
    p50, p95 = statistics.median(pages), sorted(pages)[int(0.95 * (len(pages) - 1))]
    peer = statistics.median(bare) if bare else 0.0
    ratio = f"{p50 / peer:8.2f}" if peer else f"{'':8}"
    print(f"{name:36}{rows:6}{queries:9}{p50:9.1f}{p95:9.1f}{peer:9.1f}{ratio}", flush=True)
    if p95 > BOUND_MS:
        missed.append(name)
        print(f"  MISSED: {p95:.0f} ms > {BOUND_MS} ms")


if __name__ == "__main__":
    sys.exit(main())
