"""The pages of issues: they work, refuse other methods, hide what is private, and know who may do what."""

from __future__ import annotations

import pytest

from hub.lib import markdown
from repos.issues import conversation, issue_templates, labels, milestones, references, states
from repos.issues.issue_templates import template_from
from repos.issues.models import Entry, Issue
from repos.issues.texts import digest
from repos.models import Access, Membership
from tests.repos.issues.conftest import again, as_actor, seen

pytestmark = pytest.mark.django_db
BASE = "/alice/private"
PAGES = ["/issues", "/issues/new", "/issues/1", "/issues/1/edit", "/issues/1/history", "/issues/comments/C/edit"]
PAGES += ["/issues/comments/C/history", "/labels", "/milestones", "/milestones/new", "/milestones/1/edit"]
VERBS = {  # address → form; those of writers
    "/issues/1/lock": {},
    "/issues/1/unlock": {},
    "/issues/1/labels": {"label": "L"},
    "/issues/1/assignees": {"assignee": "bob"},
    "/issues/1/milestone": {"milestone": "1"},
    "/labels/create": {"name": "new", "colour": "#112233"},
    "/labels/suggest": {},
    "/labels/L/change": {"name": "bugs", "colour": "#112233"},
    "/labels/L/remove": {},
    "/milestones/1/close": {},
    "/milestones/1/reopen": {},
    "/milestones/1/remove": {},
}
TEXT = "- [x] one\n- [ ] two\n\n<script>alert(1)</script>"
TAKING_PART = {
    "/issues/preview": {"body": "**hi**"},
    "/issues/1/comment": {"body": "Hello"},
    "/issues/1/close": {},
    "/issues/1/reopen": {},
    "/issues/1/tick": {"box": "1-done", "seen": digest(TEXT)},
    "/issues/comments/C/tick": {"box": "0-done", "seen": digest("- [ ] Me too")},
    "/issues/comments/C/remove": {},
}


@pytest.fixture
def stage(alice, bob, private, opened):
    """An issue of bob's with a comment of his, a label and a milestone; at() fills their ids into an address."""
    issue = opened(bob, private, "It <i>fails</i>", body=TEXT)
    entry = conversation.comment(as_actor(bob), again(bob, issue), "- [ ] Me too")
    label = labels.create(as_actor(alice), seen(alice, private), name="bug", colour="d73a4a")
    milestones.create(as_actor(alice), seen(alice, private), title="Soon", description="By *then*")

    def at(address: str) -> str:
        return BASE + address.replace("/C/", f"/{entry.pk}/").replace("/L/", f"/{label.pk}/")

    at.label = label  # type: ignore[attr-defined]
    return at


@pytest.mark.parametrize("page", PAGES)
def test_its_members_see_it(stage, bob, as_user, page):
    answer = as_user(bob).get(stage(page))
    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content
    assert b"It <i>" not in answer.content


@pytest.mark.parametrize("page", PAGES)
def test_pages_refuse_other_methods(stage, bob, as_user, page):
    assert as_user(bob).put(stage(page)).status_code == 405


@pytest.mark.parametrize("verb", [*VERBS, *TAKING_PART])
def test_verbs_are_posted(stage, bob, as_user, verb):
    assert as_user(bob).get(stage(verb)).status_code == 405


@pytest.mark.parametrize("verb", [*PAGES, *VERBS, *TAKING_PART])
def test_a_stranger_finds_nothing(stage, charlie, as_user, verb):
    answer = getattr(as_user(charlie), "get" if verb in PAGES else "post")(stage(verb))
    assert answer.status_code == 404


@pytest.mark.parametrize("verb", VERBS)
def test_writers_triage_and_readers_do_not(stage, alice, bob, charlie, private, as_user, verb):
    form = {key: stage.label.pk if value == "L" else value for key, value in VERBS[verb].items()}
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert as_user(charlie).post(stage(verb), form).status_code == 403
    assert as_user(bob).post(stage(verb), form).status_code == 302


@pytest.mark.parametrize("verb", TAKING_PART)
def test_people_take_part(stage, bob, as_user, verb):
    assert as_user(bob).post(stage(verb), TAKING_PART[verb]).status_code in {200, 302}
    answer = as_user(None).post(stage(verb))
    assert (answer.status_code, answer.headers["Location"][:15]) == (302, "/account/login?")


def test_a_reader_opens_one_and_sees_it_in_the_list(charlie, public, as_user):
    client = as_user(charlie)
    made = client.post("/alice/public/issues/new", {"title": "Wrong rows", "body": "See `x`"})
    assert made.headers["Location"] == "/alice/public/issues/1"
    assert "Wrong rows" in client.get("/alice/public/issues").content.decode()
    page = as_user(None).get("/alice/public/issues/1").content.decode()
    assert "Sign in</a> to take part" in page
    assert "<code>x</code>" in page


def test_a_bad_title_gives_the_form_back_with_what_was_written(charlie, public, as_user):
    answer = as_user(charlie).post("/alice/public/issues/new", {"title": " ", "body": "Long text"})
    assert answer.status_code == 422
    assert b"A title is missing." in answer.content
    assert b"Long text" in answer.content
    assert not Issue.objects.exists()


def test_a_search_that_cannot_be_read_shows_where(stage, bob, as_user):
    answer = as_user(bob).get(f"{BASE}/issues", {"q": "is:open lable:bug"})
    assert answer.status_code == 422
    assert "is:open <mark>lable:bug</mark>" in answer.content.decode()


def test_a_long_conversation_comes_in_pages(bob, private, opened, as_user):
    issue = opened(bob, private)
    now = issue.created
    rows = [Entry(issue=issue, author=bob, body=f"Comment {n}.", created=now) for n in range(120)]
    Entry.objects.bulk_create(rows)
    client, after, seen_ = as_user(bob), "", []
    for _ in range(3):
        page = client.get(f"{BASE}/issues/1{after}")
        seen_ += [n for n in range(120) if f"Comment {n}.".encode() in page.content]
        after = f"?after={page.context['conversation'].after}"
    assert seen_ == list(range(120))
    assert client.get(f"{BASE}/issues/1?after=x").status_code == 400
    fragment = client.get(f"{BASE}/issues/1?after=1", headers={"HX-Request": "true"}).content
    assert b"<html" not in fragment


def test_the_newest_of_a_long_conversation_are_one_step_away(bob, private, opened, as_user):
    issue = opened(bob, private)
    Entry.objects.bulk_create(
        Entry(issue=issue, kind="comment", author=bob, body=f"said {n}.", created=issue.created) for n in range(130)
    )
    client = as_user(bob)
    first = client.get(f"{BASE}/issues/1")
    newest = first.context["conversation"].newest
    assert f'href="?after={newest}#write"' in first.content.decode()
    last = client.get(f"{BASE}/issues/1?after={newest}").content.decode()
    assert ("said 79." in last, "said 80." in last, "said 129." in last) == (False, True, True)
    assert "Show the newest" not in client.get(f"{BASE}/issues/1?after={newest}").content.decode()


def test_the_page_costs_few_queries_whatever_was_said(bob, private, opened, as_user, django_assert_max_num_queries):
    issue = opened(bob, private)
    for n in range(30):
        conversation.comment(as_actor(bob), again(bob, issue), f"@bob #{n} alice/private#1")
    client = as_user(bob)
    with django_assert_max_num_queries(18):
        client.get(f"{BASE}/issues/1")


def test_a_pull_request_is_not_shown_or_reopened_as_an_issue(alice, private, opened, as_user):
    issue = opened(alice, private, is_pull=True)
    assert as_user(alice).get(f"{BASE}/issues/1").headers["Location"] == f"{BASE}/pull/1"
    states.close(as_actor(alice), again(alice, issue))
    assert as_user(alice).post(f"{BASE}/issues/1/reopen").status_code == 404


def test_templates_of_the_default_branch_are_offered(alice, charlie, public, writer, as_user):
    bug = (
        "---\nname: Bug report\nabout: Something broke\ntitle: 'Bug: '\nlabels: bug, absent\n---\n\n## What happened\n"
    )
    writer(public).commit({".github/ISSUE_TEMPLATE/bug.md": bug, ".covey/ISSUE_TEMPLATE/data.md": "Which rows?"})
    labels.create(as_actor(alice), seen(alice, public), name="Bug")
    client = as_user(charlie)
    page = client.get("/alice/public/issues/new").content.decode()
    assert "Bug report" in page
    assert "Something broke" in page
    form = client.get("/alice/public/issues/new?template=bug.md").content.decode()
    assert 'value="Bug:"' in form
    assert "## What happened" in form
    client.post("/alice/public/issues/new", {"title": "Bug: x", "body": "", "template": "bug.md"})
    assert [label.name for label in Issue.objects.get().labels.all()] == ["Bug"]


@pytest.mark.parametrize(
    "text",
    ["---\n[\n---\nx", "---\na: &x [*x]\n---\nx", "---\n- 1\n---\nx", "---\nname: 3\nlabels: {a: b}\n---\nx", "x"],
)
def test_a_bad_head_of_a_template_counts_as_none(text):
    found = template_from("odd.md", text)
    assert (found.name, found.labels, found.body) == ("odd", (), "x")
    assert issue_templates.MOST_BYTES == 65_536


def test_ten_thousand_comments_cost_as_much_as_fifty(bob, private, opened, as_user, django_assert_max_num_queries):
    issue = opened(bob, private)
    rows = [Entry(issue=issue, author=bob, body=f"@bob #{n} said", created=issue.created) for n in range(10_000)]
    Entry.objects.bulk_create(rows, batch_size=1_000)
    Issue.objects.filter(pk=issue.pk).update(comments_count=10_000)
    client, late = as_user(bob), Entry.objects.order_by("-pk").values_list("pk", flat=True)[20]
    for page, said in (("", 50), (f"?after={late}", 20)):
        with django_assert_max_num_queries(25):
            text = client.get(f"{BASE}/issues/1{page}").content.decode()
        assert text.count('id="comment-') == said
        assert len(text) < 200_000


def test_a_text_that_took_too_long_is_not_tried_at_each_view(alice, private, opened, as_user, monkeypatch):
    slow, quick = "| a |\n|---|\n" + "| *slow* |\n" * 3_000, "| a |\n|---|\n" + "| *quick* |\n" * 3_000
    first, second = opened(alice, private, body=slow), opened(alice, private, body=quick)

    def shown(issue) -> str:
        return as_user(alice).get(issue.get_absolute_url()).content.decode()

    with monkeypatch.context() as patch:
        patch.setattr(markdown, "SECONDS", 0.01)
        assert markdown.TOO_SLOW in shown(first)
    with monkeypatch.context() as patch:
        patch.setattr(references, "PAGE_SECONDS", 0.01)  # other texts took the time: it says nothing of this one
        assert markdown.TOO_SLOW in shown(second)
    assert markdown.TOO_SLOW in shown(first)
    assert "*slow*" in shown(first)
    assert "<em>quick</em>" in shown(second)
    first.body += "."
    first.save()
    assert "<em>slow</em>" in shown(first)
