"""Comments on rows of tables: named by their key, quoted as they were, followed into newer versions."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from django.test import Client

from datasets.said import rows
from datasets.tracked import declared_keys
from hub.lib.errors import Denied, NotFound, Unprocessable
from repos.issues import opening, threads, timeline
from repos.issues.models import Issue, Thread
from repos.issues.rights import rights_of
from repos.issues.threads import Spot
from tests.datasets.test_contents import pointer
from tests.repos.issues.conftest import as_actor, seen
from tests.support.work import work

pytestmark = pytest.mark.django_db
PATH = "data/rows.csv"


def table(*lines: str) -> bytes:
    return ("id,name,price\n" + "".join(f"{line}\n" for line in lines)).encode()


@pytest.fixture
def project(private, writer, keep, nothing_kept):
    made = writer(private)
    made.data = lambda *lines: made.commit(
        {"data/rows.csv.dvc": pointer(keep(private, table(*lines)), "rows.csv", size=1)}
    )
    made.first = made.data("7,ant,1.5", "8,bee,2.5", "9,,3.5")
    private.refresh_from_db()
    return made


@pytest.fixture
def begun(bob, private, project):
    """begun({"row": 2}) → the thread, in an issue of its own."""

    def make(detail, *, user=bob, path=PATH, rev="", body="Why?", issue=None):
        here, actor = seen(user, private), as_actor(user)
        issue = issue or opening.open_issue(actor, here, title="Look")
        entry = threads.begin(actor, issue, Spot("row", path, rev or project.first, detail), body)
        return entry.thread

    return make


def spot(user, repository, thread) -> threads.ShownSpot:
    here = seen(user, repository)
    return threads.shown_spots(as_actor(user), here, [threads.thread_of(here, thread.pk)])[thread.pk]


def asked(client, thread) -> str:
    answer = client.get(f"/alice/private/datasets/rows/{thread.pk}/now")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def opened():
    return lambda user, repository, title="A", **fields: opening.open_issue(
        as_actor(user), seen(user, repository), title=title, **fields
    )


def page(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_it_keeps_the_row_as_it_was(begun):
    detail = begun({"row": 2}).detail
    assert detail["cells"] == {"id": "8", "name": "bee", "price": "2.5"}
    assert (detail["key"], detail["row"]) == ({}, 2)
    assert detail["version"].startswith("md5:")


def test_a_declared_key_names_it(begun, private):
    declared_keys.put(private, PATH, ["id"])
    assert begun({"row": 2}).detail["key"] == {"id": "8"}
    assert begun({"key": {"id": "9", "name": None}}).detail["row"] == 3


@pytest.mark.parametrize(
    "detail",
    [
        {}, {"row": 0}, {"row": -1}, {"row": True}, {"row": "2"}, {"row": 10**30}, {"key": {}}, {"key": []},
        {"key": {"id": 8}}, {"key": {"no": "8"}}, {"key": {"id": "x" * 5000}}, {"row": 4}, {"key": {"id": "77"}},
        {"key": {f"c{n}": "1" for n in range(20)}}, {"key": {"id": "not a number"}}, {"key": {"name": "\0"}},
    ],
)  # fmt: skip
def test_rows_that_are_none_are_refused(detail, begun):
    with pytest.raises((Unprocessable, NotFound)):
        begun(detail)
    assert not Thread.objects.exists()


def test_a_key_that_its_column_cannot_hold_is_no_row(begun):
    with pytest.raises(NotFound, match="no such row"):
        begun({"key": {"id": "not a number"}})


@pytest.mark.parametrize(
    ("path", "rev"),
    [
        ("no.csv", ""),
        ("data", ""),
        ("data/rows.csv.dvc", ""),
        (PATH, "main"),
        (PATH, "0" * 40),
        ("../x.csv", ""),
        (PATH, "-x"),
    ],
)
def test_places_that_are_none_are_absent(path, rev, begun):
    with pytest.raises((NotFound, Unprocessable)):
        begun({"row": 1}, path=path, rev=rev)


def test_huge_cells_and_any_letters_are_kept_in_part(begun, private, writer, project):
    names, cells = ",".join(f"c{n}" for n in range(90)), ",".join(["y" * 9000] * 90)
    rev = project.commit({"w.csv": f"ключ,{names}\nдва\u202e,{cells}\n"})
    declared_keys.put(private, "w.csv", ["ключ"])
    detail = begun({"row": 1}, path="w.csv", rev=rev).detail
    assert detail["key"] == {"ключ": "два\u202e"}
    assert len(detail["cells"]) == rows.MOST_CELLS
    assert max(len(cell) for cell in detail["cells"].values()) == rows.CELL_CHARACTERS


def test_the_conversation_shows_its_cells(begun, bob, private):
    found = spot(bob, private, begun({"row": 2}))
    assert found.title == "data/rows.csv, row 2"
    assert "<td>bee</td>" in " ".join(found.quoted.split())
    assert found.address.endswith("/data/rows.csv?row=2#row-2")
    assert not found.outdated


def test_a_row_that_changed_is_outdated_and_says_what_it_was(begun, bob, private, project):
    declared_keys.put(private, PATH, ["id"])
    thread = begun({"row": 2})
    project.data("8,bee,99", "7,ant,1.5")
    assert "What became of this row" in spot(bob, private, thread).quoted
    told = " ".join(asked(page(bob), thread).split())
    assert "<del>2.5</del> → <ins>99.0</ins>" in told or "<del>2.5</del> → <ins>99</ins>" in told
    found = spot(bob, private, thread)
    assert found.outdated
    assert "2.5" in found.quoted
    assert "hx-get" not in found.quoted


def test_a_row_that_moved_is_the_same(begun, bob, private, project):
    declared_keys.put(private, PATH, ["id"])
    thread = begun({"row": 2})
    project.data("1,new,1.0", "7,ant,1.5", "8,bee,2.5")
    assert "this row is the same at main" in asked(page(bob), thread)
    assert not spot(bob, private, thread).outdated


def test_a_row_or_a_file_that_is_gone(begun, bob, private, project):
    declared_keys.put(private, PATH, ["id"])
    thread = begun({"row": 2})
    project.data("7,ant,1.5")
    assert "This row is gone at main" in asked(page(bob), thread)
    assert spot(bob, private, thread).outdated
    project.commit({"data/rows.csv.dvc": None})
    found = spot(bob, private, thread)
    assert found.outdated
    assert "<td>bee</td>" in found.quoted


def test_the_table_marks_it_and_leads_to_the_form(begun, bob, private, project, alice):
    declared_keys.put(private, PATH, ["id"])
    thread = begun({"row": 2})
    project.data("8,bee,99", "7,ant,1.5")
    for rev, number in ((project.first, 2), ("main", 1)):
        html = page(alice).get(f"/alice/private/datasets/table/{rev}/{PATH}").content.decode()
        row = html.split(f'<tr id="row-{number}"')[1].split("</tr>")[0]
        assert f"/alice/private/issues/threads/{thread.pk}" in row
        assert html.count('class="said-mark"') == 1
        assert "/alice/private/issues/threads/begin?kind=row" in row


def test_the_form_quotes_the_row_and_opens_an_issue(bob, private, project):
    client = page(bob)
    fields = {"kind": "row", "path": PATH, "rev": project.first, "detail": json.dumps({"row": 2})}
    html = client.get(f"/alice/private/issues/threads/begin?{urlencode(fields)}").content.decode()
    assert "<td>bee</td>" in html
    done = client.post("/alice/private/issues/threads/begin", {**fields, "title": "Bad bee", "body": "Is this a bee?"})
    assert done.status_code == 302
    issue = Issue.objects.get(title="Bad bee")
    assert issue.threads.get().detail["row"] == 2
    assert "<td>bee</td>" in client.get(f"/alice/private/issues/{issue.number}").content.decode()


def test_the_diff_of_a_pull_request_leads_into_its_conversation(bob, private, project, opened):
    opened(bob, private, "A pull", is_pull=True)
    project.data("7,ant,1.5", "8,bee,7")
    where = f"/alice/private/datasets/diff/{project.first}...main"
    files, rows_ = f"{where}?pull=1", f"{where}/{PATH}?pull=1&key=id"
    for address in (files, rows_):
        page(bob).get(address)
    work()
    assert f"{where}/{PATH}?pull=1" in page(bob).get(files).content.decode()
    html = page(bob).get(rows_).content.decode()
    assert html.count('class="said-begin"') == 2
    assert "&amp;issue=1&amp;detail=" in html


# ---- who may ---------------------------------------------------------------------------------------
def test_four_questions_of_what_became_of_it(begun, alice, charlie):
    thread = begun({"row": 2})
    where = f"/alice/private/datasets/rows/{thread.pk}/now"
    assert page(alice).get(where).status_code == 200
    assert page(alice).post(where).status_code == 405
    assert page(charlie).get(where).status_code == 404
    assert Client().get(where).status_code == 404
    assert page(alice).get("/alice/private/datasets/rows/99999999999/now").status_code == 404


def test_the_thread_of_another_repository_is_absent(begun, alice, public):
    thread = begun({"row": 2})
    assert page(alice).get(f"/alice/public/datasets/rows/{thread.pk}/now").status_code == 404
    assert page(alice).get(f"/alice/public/issues/threads/{thread.pk}").status_code == 404


def test_a_token_without_data_sees_and_says_nothing_of_rows(begun, bob, private, project):
    thread = begun({"row": 2})
    here = seen(bob, private)
    narrow = replace(as_actor(bob), session=False, scopes=frozenset({"issues:read", "issues:write"}))
    assert threads.shown_spots(narrow, here, [thread]) == {}
    with pytest.raises(Denied):
        threads.begin(narrow, thread.issue, Spot("row", PATH, project.first, {"row": 1}), "x")


# ---- the panel -------------------------------------------------------------------------------------
def test_the_panel_pages_what_is_said_newest_first(begun, bob, private, opened):
    issue = opened(bob, private)
    for n in range(12):
        begun({"row": 1 + n % 3}, body=f"Comment {n}!", issue=issue)
    where = f"/alice/private/issues/threads?kind=row&path={PATH}"
    html = page(bob).get(where, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert html.index("Comment 11!") < html.index("Comment 2!")
    assert "Comment 1!" not in html
    assert "Comment 1!" in page(bob).get(where + "&page=2").content.decode()


def test_the_panel_asks_a_bounded_number_of_questions(begun, bob, private, opened, django_assert_max_num_queries):
    issue = opened(bob, private)
    for n in range(9):
        begun({"row": 1 + n % 3}, issue=issue)
    actor, here = as_actor(bob), seen(bob, private)
    with django_assert_max_num_queries(4):
        timeline.shown_threads(here, actor, rights_of(actor, here), threads.at(here, actor, "row", PATH))


def test_four_questions_of_the_panel(begun, alice, charlie):
    begun({"row": 2})
    where = f"/alice/private/issues/threads?kind=row&path={PATH}"
    assert "Why?" in page(alice).get(where).content.decode()
    assert page(alice).post(where).status_code == 405
    assert page(charlie).get(where).status_code == 404
    assert page(alice).get("/alice/private/issues/threads?kind=moon&path=x").status_code == 400
    assert page(alice).get("/alice/private/issues/threads?kind=row").status_code == 400
