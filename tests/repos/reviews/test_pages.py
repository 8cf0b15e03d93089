"""The pages of reviews: forms below lines, the bar, verbs; hidden from strangers; fixed costs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

import pytest
from django.utils import timezone

from repos.issues import threads
from repos.issues.models import Entry, Thread
from repos.issues.threads import Spot
from repos.models import Access, Membership
from repos.reviews import reviewing
from repos.reviews.models import Comment, Review
from repos.reviews.reviewing import Said
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import again, propose

pytestmark = pytest.mark.django_db
BASE = "/alice/private/pull/1"
HTMX = {"HX-Request": "true"}


def lines(project, **fields):
    return {"path": "a.txt", "rev": project.tips["work"], "side": "new", "start": "4", "line": "5", **fields}


@dataclass(frozen=True)
class Stage:
    """Bob has a suggestion on #1, has approved it, and has a comment that waits. stage(address) fills in their ids."""

    entry: Entry
    review: Review
    waits: Comment

    def __call__(self, address: str) -> str:
        return BASE + address.replace("/W/", f"/{self.waits.pk}/").replace("/R/", f"/{self.review.pk}/")


@pytest.fixture
def stage(project, pull, alice, bob):
    spot = Spot("line", "a.txt", project.tips["work"], {"line": 4})
    entry = threads.begin(as_actor(bob), again(bob, pull).issue, spot, "```suggestion\nbetter\n```")
    review = reviewing.submit(as_actor(bob), again(bob, pull), "approve", "Looks <b>good</b>")
    waits = reviewing.add(as_actor(bob), again(bob, pull), Said("It <i>waits</i>", spot))
    return Stage(entry, review, waits)


PAGES = ["/review/bar", "/review/form"]
TAKING_PART = {
    "/review/comment": {"body": "Hello"},
    "/review/add": {"body": "Hello"},
    "/review/submit": {"verdict": "comment", "body": "Fine"},
    "/review/discard": {},
    "/review/pending/W/change": {"body": "Other"},
    "/review/pending/W/remove": {},
}
WRITING = {"/reviews/R/dismiss": {"why": "Because"}, "/review/apply": {"entry": "E"}}
VERBS = TAKING_PART | WRITING


def form_of(stage, project, verb):
    values = {key: stage.entry.pk if value == "E" else value for key, value in VERBS[verb].items()}
    return lines(project, **values) if verb in {"/review/comment", "/review/add"} else values


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_for_readers(stage, project, bob, charlie, as_user, page):
    answer = as_user(bob).get(stage(page), lines(project))
    assert answer.status_code == 200
    assert b"<i>waits" not in answer.content
    assert as_user(bob).post(stage(page)).status_code == 405
    assert as_user(charlie).get(stage(page), lines(project)).status_code == 404


@pytest.mark.parametrize("verb", VERBS)
def test_verbs(stage, project, bob, charlie, private, as_user, verb):
    form = form_of(stage, project, verb)
    assert as_user(bob).get(stage(verb)).status_code == 405
    assert as_user(charlie).post(stage(verb), form).status_code == 404
    assert as_user(None).post(stage(verb), form).headers["Location"].startswith("/account/login?")
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    if verb in WRITING:
        assert as_user(charlie).post(stage(verb), form).status_code == 403
    elif "/W/" in verb:
        assert as_user(charlie).post(stage(verb), form).status_code == 404
    assert as_user(bob).post(stage(verb), form).status_code == 302


def test_a_comment_on_a_range_shows_at_its_last_line(stage, project, bob, as_user):
    client = as_user(bob)
    form = client.get(f"{BASE}/review/form", lines(project), headers=HTMX).content.decode()
    assert "lines 4 to 5" in form
    assert 'data-suggest="line three\nline 4"' in form
    said = client.post(f"{BASE}/review/comment", lines(project, body="Both lines"), headers=HTMX).content.decode()
    assert "a.txt, lines 4 to 5" in said
    thread = Thread.objects.latest("pk")
    for view in ("", "?view=split"):
        page = client.get(f"{BASE}/files{view}").content.decode()
        row = page[page.index('R5"') : page.index('R6"')]
        assert f'id="thread-{thread.pk}"' in row
        assert "Both lines" in row
        waits = page[page.index('R4"') : page.index('R5"')]
        assert "pending-" in waits
        assert "It &lt;i&gt;waits" in waits


def test_the_old_side_has_threads_too(project, pull, bob, as_user):
    client = as_user(bob)
    asked = lines(project, side="old", rev=project.tips["main"], start="4", line="4", body="Why gone?")
    assert client.post(f"{BASE}/review/comment", asked, headers=HTMX).status_code == 200
    page = client.get(f"{BASE}/files").content.decode()
    assert "Why gone?" in page[page.index('L4"') : page.index('R4"')]


def test_the_text_that_waits_is_in_the_form_that_submits_it(pull, bob, as_user):
    reviewing.begin(as_actor(bob), again(bob, pull), "Written <b>elsewhere</b>", [])
    assert "Written &lt;b&gt;elsewhere" in as_user(bob).get(f"{BASE}/review/bar").content.decode()


def test_what_a_page_showed_is_what_can_be_approved_there(project, pull, bob, as_user):
    """The bar is asked for again after each comment; a push may have come since the page did."""
    client = as_user(bob)
    page = client.get(f"{BASE}/files").content.decode()
    address = unescape(re.search(r'hx-get="([^"]+/review/bar[^"]*)"', page)[1])
    seen = project.tips["work"]
    project.commit({"a.txt": "unseen\n"}, "Unseen", branch="work")
    bar = client.get(address).content.decode()
    assert f'name="expected" value="{seen}"' in bar
    assert 'name="base" value="main"' in bar


def test_a_review_that_another_tab_submitted_says_so(stage, bob, as_user):
    client = as_user(bob)
    waiting = stage.waits.review_id
    assert f'name="review" value="{waiting}"' in client.get(f"{BASE}/review/bar").content.decode()
    form = {"verdict": "comment", "body": "Once", "review": str(waiting)}
    assert client.post(f"{BASE}/review/submit", form).status_code == 302
    again_ = client.post(f"{BASE}/review/submit", {**form, "body": "Twice"})
    assert again_.status_code == 409
    assert "perhaps in another tab" in again_.content.decode()
    assert Review.objects.filter(author=bob).count() == 2
    refused = client.post(f"{BASE}/review/submit", {**form, "review": "x", "body": "New"})
    assert (refused.status_code, "review must be a whole number" in refused.content.decode()) == (400, True)
    assert Review.objects.filter(author=bob).count() == 2


def test_others_do_not_see_what_waits(stage, alice, as_user):
    assert "waits" not in as_user(alice).get(f"{BASE}/files").content.decode()


def test_a_thread_follows_its_line_through_a_force_push_or_is_outdated(stage, project, alice, as_user):
    text = project.git("show", f"{project.tips['work']}:a.txt") + "\n"
    thread = stage.entry.thread
    project.commit({"a.txt": "top\n" + text}, branch="work", start=project.tips["main"])
    page = as_user(alice).get(f"{BASE}/files").content.decode()
    assert f'id="thread-{thread.pk}"' in page[page.index('R5"') : page.index('R6"')]
    project.commit({"a.txt": text.replace("line three", "something else")}, branch="work", start=project.tips["main"])
    page = as_user(alice).get(f"{BASE}/files").content.decode()
    assert f'id="thread-{thread.pk}"' in page[page.index("diff-lost") :]
    said = as_user(alice).get(BASE).content.decode()
    assert '<span class="badge">outdated</span>' in said
    assert "line three" in said
    assert "something else" not in said


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"body": " "}, 422), ({"line": "x"}, 400), ({"line": "9" * 40}, 400), ({"line": "999"}, 422),
     ({"path": "no"}, 404),
     ({"path": "../../etc/passwd"}, 404), ({"rev": "main"}, 404), ({"side": "left"}, 422), ({"start": "9"}, 422),
     ({"body": "a\0"}, 422), ({"path": "a\0"}, 422), ({"body": "x" * 70_000}, 422)],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["comment", "add"])
def test_bad_comments_change_nothing(pull, project, bob, as_user, verb, fields, status):
    given = lines(project, **{"body": "Fine", **fields})
    assert as_user(bob).post(f"{BASE}/review/{verb}", given, headers=HTMX).status_code == status
    assert not Entry.objects.exists()
    assert not Comment.objects.exists()


def test_a_refused_comment_keeps_what_was_written(pull, project, alice, bob, as_user):
    answer = as_user(bob).post(f"{BASE}/review/add", lines(project, body="Long text\0"), headers=HTMX)
    assert "Long text" in answer.content.decode()


def test_the_story_from_waiting_to_dismissed(stage, project, alice, bob, as_user):
    client = as_user(bob)
    added = client.post(
        f"{BASE}/review/add", lines(project, body="A reply waits", thread=stage.entry.thread_id), headers=HTMX
    )
    assert "review-changed" in added.headers["HX-Trigger"]
    assert "2 comments wait" in client.get(f"{BASE}/review/bar").content.decode()
    client.post(f"{BASE}/review/submit", {"verdict": "request_changes", "body": "No <b>way</b>"})
    page = as_user(alice).get(BASE).content.decode()
    assert "asked for changes" in page
    assert "A reply waits" in page
    standing = as_user(alice).get(f"{BASE}/reviewers").content.decode()
    assert "asks for changes" in standing
    review = Review.objects.latest("pk")
    as_user(alice).post(f"{BASE}/reviews/{review.pk}/dismiss", {"why": "It is mended"})
    page = as_user(alice).get(BASE).content.decode()
    assert "dismissed by alice" in page
    assert re.search(r'dismissed\s+the request for changes\s+of <a href="/bob">bob</a>: It is mended', page)
    assert "nobody has reviewed it" in as_user(alice).get(f"{BASE}/reviewers").content.decode()


def test_a_suggestion_is_shown_and_applied(stage, project, alice, as_user):
    page = as_user(alice).get(BASE).content.decode()
    assert "Suggested change" in page
    assert "better" in page
    assert as_user(alice).post(f"{BASE}/review/apply", {"entry": ["x"]}).status_code == 400
    as_user(alice).post(f"{BASE}/review/apply", {"entry": stage.entry.pk})
    assert "\nbetter\n" in project.git("show", "work:a.txt")


def test_ten_thousand_comments_cost_no_more_queries(pull, project, alice, bob, as_user, django_assert_max_num_queries):
    now = timezone.now()
    detail = {"side": "new", "start": 4, "line": 4, "from": 4, "quoted": ["line three"]}
    place = {"issue": pull.issue, "repository": pull.repository, "kind": "line", "path": "a.txt", "created": now}
    made = Thread.objects.bulk_create(Thread(rev=project.tips["work"], detail=detail, **place) for _ in range(2_000))
    Entry.objects.bulk_create(
        Entry(issue=pull.issue, thread=thread, author=bob, body=f"said {n}", created=now)
        for n in range(5) for thread in made
    )  # fmt: skip
    client = as_user(alice)
    client.get(BASE)
    with django_assert_max_num_queries(25):
        page = client.get(f"{BASE}/files").content.decode()
    assert page.count("thread-slot") == 1_000
    with django_assert_max_num_queries(32):
        assert client.get(BASE).content.decode().count('class="box thread"') == 50


def test_a_long_difference_shows_threads_in_the_file_loaded_later(project, alice, bob, private, as_user):
    first = project.tips["main"]
    text = "".join(f"row {n}\n" for n in range(5_000))
    head = project.commit({"long.txt": text}, branch="long", start=first)
    made = propose(alice, private, head="long")
    spot = Spot("line", "long.txt", head, {"line": 4_321})
    threads.begin(as_actor(bob), again(bob, made).issue, spot, "Far down")
    client = as_user(bob)
    page = client.get(f"/alice/private/pull/{made.number}/files").content.decode()
    assert "Far down" in page
    rows = client.get(f"/alice/private/pull/{made.number}/diff/{first}/{head}/long.txt").content.decode()
    assert "Far down" in rows[rows.index('R4321"') : rows.index('R4322"')]


# ---- the page of a file ---------------------------------------------------------------------------------------------
def test_a_file_page_marks_lines_that_were_talked_about(stage, project, bob, charlie, as_user):
    client = as_user(bob)
    page = client.get("/alice/private/blob/work/a.txt").content.decode()
    address = f"/alice/private/line-threads/{project.tips['work']}/a.txt"
    assert f'hx-get="{address}"' in page
    found = client.get(address).content.decode()
    assert 'data-line="4"' in found
    assert "#1" in found
    assert "data-begin=" in found
    assert 'data-line="' not in client.get(f"/alice/private/line-threads/{project.tips['main']}/a.txt").content.decode()
    assert client.post(address).status_code == 405
    assert as_user(charlie).get(address).status_code == 404
    assert client.get("/alice/private/line-threads/nothing/a.txt").status_code == 404
