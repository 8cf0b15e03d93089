"""What people mention: @somebody, #3, owner/name#3, a commit's id. Links only to what the reader may read.

All texts of a page are looked through first, so that what they mention is found with one question per kind.
A title, or whether a number exists at all, is never told of a repository that the reader may not read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib.markdown import Link
from hub.lib.names import OWNER_PATTERN, REPOSITORY_PATTERN
from repos.attachments import attaching
from repos.attachments.strays import TOKEN
from repos.git import commands
from repos.git.commands import GitError
from repos.issues.models import Issue, url_of
from repos.issues.unfurling import Cards, cards_of
from repos.models import Repository
from repos.place import url

MOST = 500  # of each kind on one page; what comes after stays plain text
PAGE_SECONDS = 6.0
_PATTERN = re.compile(
    rf"""(?<![\w@/.#&-])(?:
        @(?P<user>{OWNER_PATTERN})
      | (?:(?P<owner>{OWNER_PATTERN})/(?P<name>{REPOSITORY_PATTERN}))?\#(?P<number>[1-9][0-9]{{0,8}})
      | (?P<commit>[0-9a-f]{{7,40}})
    )(?![\w@-])""",
    re.VERBOSE,
)
Place = tuple[str, str, int]  # owner and name in lower case ("" for here), number


@dataclass
class References:
    """Found for one reader. issues: place → (address, title). commits: as written → full id. cards: what is shown with
    more than its name. removed: tokens of attachments. until: when the texts of this page have taken long enough, all
    together; those that are not rendered by then are shown as written."""

    repository: Repository
    users: dict[str, str] = field(default_factory=dict)
    issues: dict[Place, tuple[str, str]] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)
    cards: Cards = field(default_factory=Cards)
    removed: frozenset[str] = frozenset()
    until: float = field(default_factory=lambda: time.monotonic() + PAGE_SECONDS)

    def gone(self, address: str) -> bool:
        """Whether an address is that of an attachment that was removed, for hub.lib.markdown.render(gone=…)."""
        match = TOKEN.search(address) if self.removed else None
        return match is not None and match[1] in self.removed

    def links(self, text: str) -> list[Link]:
        """For hub.lib.markdown.render(references=…)."""
        return [link for match in _PATTERN.finditer(text) if (link := self._link(match))]

    def _link(self, match: re.Match[str]) -> Link | None:
        start, end = match.span()
        if match["user"]:
            name = self.users.get(match["user"].lower())
            return Link(start, end, f"/{name}") if name else None
        if match["commit"]:
            sha = self.commits.get(match["commit"])
            return Link(start, end, url(self.repository, "commit", sha), sha) if sha else None
        found = self.issues.get(_place(match))
        return Link(start, end, *found) if found else None


def references_of(repository: Repository, actor: Actor, texts: Iterable[str]) -> References:
    """What these texts mention and this actor may read: at most three queries and one git process, and those
    of the kinds of cards (repos.issues.unfurling) that are mentioned."""
    texts = list(texts)
    users, places, commits = set[str](), set[Place](), set[str]()
    for match in (match for text in texts for match in _PATTERN.finditer(text)):
        if match["user"]:
            users.add(match["user"].lower())
        elif match["commit"]:
            commits.add(match["commit"])
        else:
            places.add(_place(match))
    return References(
        repository,
        _users(sorted(users)[:MOST]),
        _issues(repository, actor, sorted(places)[:MOST]),
        _commits(repository, sorted(commits)[:MOST]),
        cards_of(repository, actor, texts),
        attaching.gone(texts),
    )


def _place(match: re.Match[str]) -> Place:
    return (match["owner"] or "").lower(), (match["name"] or "").lower(), int(match["number"])


def _users(names: list[str]) -> dict[str, str]:
    if not names:
        return {}
    people = User.objects.filter(owner__name_key__in=names, is_active=True)
    return dict(people.values_list("owner__name_key", "username"))


def _issues(repository: Repository, actor: Actor, places: list[Place]) -> dict[Place, tuple[str, str]]:
    found = {}
    if here := [number for owner, _, number in places if not owner]:
        rows = Issue.objects.filter(repository=repository, number__in=here)
        for number, title, is_pull in rows.values_list("number", "title", "is_pull"):
            found["", "", number] = url_of(repository.full_name, number, is_pull=is_pull), title
    if elsewhere := [place for place in places if place[0]]:
        wanted = {(owner, name) for owner, name, _ in elsewhere}
        readable = Repository.objects.visible_to(actor, area=Area.ISSUES).filter(
            owner__name_key__in={owner for owner, _ in wanted}, name_key__in={name for _, name in wanted}
        )
        rows = Issue.objects.filter(repository__in=readable, number__in={number for *_, number in elsewhere})
        for issue in rows.select_related("repository__owner").only(
            "number", "title", "is_pull", "repository__name", "repository__name_key", "repository__owner"
        ):
            key = issue.repository.owner.name_key, issue.repository.name_key, issue.number
            found[key] = issue.get_absolute_url(), issue.title
    return found


def _commits(repository: Repository, ids: list[str]) -> dict[str, str]:
    """As written → full id, of what is a commit here and of nothing else."""
    if not ids or repository.empty:
        return {}
    question = "".join(f"{one}\n" for one in ids).encode()
    try:
        out = commands.run(repository.path, "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=question)
    except GitError:  # a lost disk: the texts are shown without their links
        return {}
    answers = out.decode().splitlines()
    known = (answer.split() for answer in answers)
    pairs = zip(ids, known, strict=False)
    return {written: words[0] for written, words in pairs if len(words) == 2 and words[1] == "commit"}
