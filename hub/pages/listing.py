"""Lists of repositories: search, sort and page in SQL, with what a card shows in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from hub.lib.paging import Page, page_of, words_of
from repos.models import Repository, RepositoryQuerySet

PAGE_SIZE = 30
MOST_WORDS = 8
SORTS = {
    "updated": ("recently active", [Coalesce("pushed", "created").desc(), F("pk").desc()]),
    "stars": ("most stars", [F("stars_count").desc(), F("pk").desc()]),
    "name": ("name", [F("name_key").asc(), F("pk").asc()]),
    "created": ("newest", [F("created").desc(), F("pk").desc()]),
}


@dataclass(frozen=True)
class Listing:
    """One page of repositories and the words that led to it."""

    page: Page[Repository]
    q: str
    topic: str
    sort: str

    @property
    def repositories(self) -> list[Repository]:
        return self.page.rows

    @property
    def sorts(self) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in SORTS.items()]


def listing(repositories: RepositoryQuerySet, asked: Mapping[str, str], *, sort: str = "updated") -> Listing:
    """Read q, topic, sort and page from an address, and nothing else. Raises Invalid on a page that is no number."""
    q, topic = words_of(asked.get("q", "")), words_of(asked.get("topic", ""))[:40]
    chosen = asked.get("sort", sort) if asked.get("sort", sort) in SORTS else sort
    for word in q.split()[:MOST_WORDS]:
        repositories = repositories.filter(_matches(word))
    if topic:
        repositories = repositories.filter(topics__name=topic.lower())
    ordered = repositories.select_related("owner").prefetch_related("topics").order_by(*SORTS[chosen][1])
    return Listing(page_of(ordered, asked.get("page", "1"), PAGE_SIZE), q, topic, chosen)


def _matches(word: str) -> Q:
    """A word is found in the name, the owner's name, the description or a topic."""
    owner, slash, name = word.partition("/")
    if slash:
        return Q(owner__name_key=owner.lower(), name_key__contains=name.lower())
    topics = Repository.objects.filter(topics__name=word.lower()).values("pk")
    return (
        Q(name_key__contains=word.lower())
        | Q(owner__name_key__contains=word.lower())
        | Q(description__icontains=word)
        | Q(pk__in=topics)
    )
