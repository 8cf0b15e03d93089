"""What texts mention becomes links, but only to what the reader may read."""

from __future__ import annotations

import pytest

from hub.lib import markdown
from repos.issues import timeline
from repos.issues.references import references_of
from repos.models import Repository
from tests.harmless import faults
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db


def shown(user, repository: Repository, text: str) -> str:
    return str(timeline.preview(seen(user, repository), as_actor(user), text))


def test_it_links_people_issues_and_pull_requests(alice, bob, private, opened):
    opened(alice, private, "The <b>first</b>")
    opened(alice, private, "A change", is_pull=True)
    html = shown(alice, private, "@Bob see #1, #2, #3, alice/private#1 and @nobody; mail a@bob.de")
    assert '<a href="/bob" rel="nofollow noopener noreferrer">@Bob</a>' in html
    assert 'href="/alice/private/issues/1" title="The &lt;b&gt;first&lt;/b&gt;"' in html
    assert 'href="/alice/private/pull/2"' in html
    assert ">alice/private#1</a>" in html
    assert "#3</a>" not in html
    assert "@nobody</a>" not in html
    assert not faults(html)


def test_it_links_nothing_in_code_links_and_escapes(alice, private, opened):
    opened(alice, private)
    html = shown(alice, private, "`#1` [to #1](https://x.example) <a href='/y'>#1</a> \\#1 x#1 #1x\n\n    #1\n")
    assert "issues/1" not in html


def test_a_private_title_is_told_to_nobody_who_may_not_read_it(alice, bob, charlie, private, public, opened):
    opened(alice, private, "Secret merger")
    text = "See alice/private#1 and alice/private#2"
    absent = shown(charlie, public, text.replace("private", "nothing"))
    assert shown(charlie, public, text) == absent.replace("nothing", "private")
    assert "Secret merger" in shown(bob, public, text)
    private.memberships.all().delete()
    assert "Secret merger" not in shown(bob, public, text)


def test_commit_ids_lead_to_commits_of_this_repository(alice, private, public, writer):
    made = writer(private)
    sha = made.commit({"a": "1"})
    tree = made.git("rev-parse", f"{sha}^{{tree}}")
    private.refresh_from_db()
    html = shown(alice, private, f"In {sha[:8]}, not in {tree}, deadbeef1 or 1234567")
    assert f'href="/alice/private/commit/{sha}"' in html
    assert html.count("<a ") == 1
    assert "<a " not in shown(alice, public, f"In {sha}")


def test_a_page_asks_once_per_kind(alice, private, public, opened, django_assert_max_num_queries):
    for _ in range(5):
        opened(alice, private)
    texts = [f"#{n} @alice alice/public#{n} alice/private#{n}" for n in range(1, 6)]
    repository = seen(alice, private)
    with django_assert_max_num_queries(3):
        found = references_of(repository, as_actor(alice), texts)
        for text in texts:
            markdown.render(text, references=found.links)
