"""Addresses of lines show the lines; what cannot be found, or not be read, stays as it was written."""

from __future__ import annotations

import pytest
from django.conf import settings

from repos.issues import quoting, timeline
from repos.models import Repository
from tests.harmless import faults
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db
CODE = "".join(f"line_{n} = '<b>{n}</b>'\n" for n in range(1, 60))


@pytest.fixture
def project(private, writer):
    made = writer(private)
    made.commit({"src/train.py": CODE, "big.txt": "x" * 5000 + "\n", "raw.bin": "\0\1\2", "a b/é.txt": "one\ntwo\n"})
    private.refresh_from_db()
    return made


def page(path: str, repository: str = "alice/private") -> str:
    return f"{settings.COVEY_URL}/{repository}/{path}"


def shown(user, repository: Repository, text: str) -> str:
    return str(timeline.preview(seen(user, repository), as_actor(user), text))


def test_the_address_of_lines_shows_them(alice, private, project):
    html = shown(alice, private, f"Look:\n\n{page('blob/main/src/train.py#L3-L5')}\n\nthere")
    assert '<div class="quoted">' in html
    assert 'href="/alice/private/blob/main/src/train.py#L3-L5"' in html
    assert "lines 3 to 5 at main" in html
    assert "line_3" in html
    assert "line_5" in html
    assert "line_6" not in html
    assert "<b>" not in html
    assert not faults(html)
    assert "<p><div" not in html


def test_among_other_words_it_is_a_small_card(alice, private, project):
    html = shown(alice, private, f"See {page('blob/main/src/train.py#L3')}.")
    assert '<a href="/alice/private/blob/main/src/train.py#L3" class="card"' in html
    assert "<small>line 3 at main</small>" in html
    assert "line_3" not in html


def test_names_that_need_quoting(alice, private, project):
    assert "two" in shown(alice, private, page("blob/main/a%20b/%C3%A9.txt#L2"))


def test_many_lines_are_cut(alice, private, project):
    html = shown(alice, private, page("blob/main/src/train.py#L1-L59"))
    assert f"line_{quoting.MOST_LINES} " in html.replace("</span>", "")
    assert f"line_{quoting.MOST_LINES + 1} " not in html.replace("</span>", "")


@pytest.mark.parametrize(
    "path",
    [
        "blob/main/no/such.py#L1",
        "blob/nobranch/src/train.py#L1",
        "blob/main/src/train.py#L900",
        "blob/main/big.txt#L1",
        "blob/main/raw.bin#L1",
        "blob/main/src#L1",
        "blob/main/src/train.py#L0",
        "blob/-x/../src/train.py#L1",
        "blob/%00/x#L1",
    ],
)
def test_what_is_not_there_stays_an_address(path, alice, private, project):
    html = shown(alice, private, page(path))
    assert 'class="card"' not in html
    assert 'class="quoted"' not in html


def test_nobody_learns_of_what_they_may_not_read(alice, bob, charlie, private, public, project):
    text = f"{page('blob/main/src/train.py#L3')}\n\n{page('blob/main/no#L3')}"
    absent = shown(charlie, public, text.replace("private", "nothing"))
    assert shown(charlie, public, text) == absent.replace("nothing", "private")
    assert "line_3" in shown(bob, public, text)
    private.memberships.all().delete()
    assert "line_3" not in shown(bob, public, text)


def test_code_and_given_texts_stay_as_they_are(alice, private, project):
    where = page("blob/main/src/train.py#L3")
    html = shown(alice, private, f"`{where}` [mine]({where}) <{where}>\n\n    {where}\n")
    assert 'class="card"' not in html
    assert ">mine</a>" in html


def test_a_page_of_addresses_asks_once(alice, private, public, project, django_assert_max_num_queries):
    text = "\n\n".join(
        page(f"blob/main/src/train.py#L{n}", repository)
        for n in range(1, 30)
        for repository in ("alice/private", "alice/public", f"alice/none{n}")
    )
    repository = seen(alice, private)
    with django_assert_max_num_queries(1):
        html = timeline.preview(repository, as_actor(alice), text)
    assert html.count('class="quoted"') == quoting.MOST_FILES
