"""The pages of conflicts: choose, go on, commit; nothing typed is lost; the four questions."""

from __future__ import annotations

import re

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from repos.models import Access, Membership
from repos.pulls.conflicts import listing
from repos.pulls.conflicts.models import Chosen
from repos.pulls.conflicts.resolving import RESOLVE, Order, key_of
from repos.pulls.drivers import Choices

pytestmark = pytest.mark.django_db
BASE = "/alice/private/pull/1"
VERBS = ["choose", "choose-all"]


def digest_of(pull):
    return listing.listing(pull, *listing.tips(pull), user_id=None).files[0].digest


def tips_of(pull):
    ours, theirs = listing.tips(pull)
    return {"ours": ours, "theirs": theirs}


def begun(user, pull):
    """What a request leaves that was killed before it ran its job: a worker will take it."""
    ours, theirs = listing.tips(pull)
    order = Order(ours, theirs, {digest_of(pull): Choices(rest="ours")})
    arguments = order.as_json | {"pull": pull.pk, "user": user.pk, "token": None}
    return jobs.start(RESOLVE, f"{key_of(pull, ours, theirs)}x", arguments, repository_id=pull.repository.pk)


@pytest.fixture
def addresses(lines):
    file = f"{BASE}/conflicts/{digest_of(lines)}"
    return {"list": f"{BASE}/conflicts", "file": file, "resolve": f"{BASE}/conflicts/resolve"} | {
        verb: f"{file}/{verb}" for verb in VERBS
    }


def test_the_way_from_the_box_to_the_commit(bob, lines, as_user, parted, addresses):
    client = as_user(bob)
    assert addresses["list"] in client.get(f"{BASE}/merge-box").content.decode()
    page = client.get(addresses["list"]).content.decode()
    assert "1 file in conflict" in page
    assert "0 of 1 decided" in page
    assert addresses["file"] in page
    page = client.get(addresses["file"]).content.decode()
    for text in ("our 3", "their 3", "line 3", "line 2", "Keep work&#x27;s", "Take main&#x27;s"):
        assert text in page
    answer = client.post(addresses["choose"], {"page": "1", "choice-0": "value", "text-0": "mine"})
    assert answer.headers["Location"] == addresses["list"]
    page = client.get(addresses["list"]).content.decode()
    assert "Everything is decided" in page
    assert "mine" in client.get(addresses["file"]).content.decode()
    answer = client.post(addresses["resolve"], tips_of(lines) | {"message": "Put together"})
    assert answer.headers["Location"] == BASE
    assert parted.writer.git("log", "-1", "--format=%s", "work") == "Put together"
    assert "mine" in parted.writer.git("show", "work:a.txt")
    assert "This can be merged" in client.get(f"{BASE}/merge-box").content.decode()
    assert client.get(addresses["list"]).headers["Location"] == BASE


def test_what_is_not_in_conflict_says_so(bob, project, proposed, as_user):
    proposed()
    assert "Nothing is in conflict" in as_user(bob).get(f"{BASE}/conflicts").content.decode()


def test_branches_that_never_met_are_told_so(bob, project, proposed, as_user):
    """A push replaced the base: git refuses to merge what has no common commit."""
    proposed()
    project.git("update-ref", "refs/heads/main", project.commit({"z.txt": "z\n"}, "Anew", branch="anew", start=""))
    answer = as_user(bob).get(f"{BASE}/conflicts")
    assert answer.status_code == 422
    assert "no common commit" in answer.content.decode()


def test_a_worker_at_work_is_shown_and_the_page_goes_on_when_it_has_ended(bob, lines, as_user, addresses):
    client, job = as_user(bob), begun(bob, lines)
    page = client.get(addresses["list"]).content.decode()
    assert "Your choices are being put together" in page
    assert 'hx-trigger="load delay:1s"' in page
    waiting = client.get(addresses["list"], headers={"HX-Request": "true"})
    assert "HX-Redirect" not in waiting.headers
    jobs.run(job.pk)
    ended = client.get(addresses["list"], headers={"HX-Request": "true"})
    assert ended.headers["HX-Redirect"] == BASE


def test_a_commit_that_is_there_before_its_job_has_ended_is_still_at_work(bob, lines, as_user, addresses):
    client, job = as_user(bob), begun(bob, lines)
    jobs.run(job.pk)
    ended = Job.objects.filter(pk=job.pk)
    result, finished = ended.values_list("result", "finished").get()
    ended.update(state=Job.State.RUNNING, result=None, finished=None)  # the moment between the two
    page = client.get(addresses["list"]).content.decode()
    assert "Your choices are being put together" in page
    assert "HX-Redirect" not in client.get(addresses["list"], headers={"HX-Request": "true"}).headers
    ended.update(state=Job.State.DONE, result=result, finished=finished)
    assert client.get(addresses["list"], headers={"HX-Request": "true"}).headers["HX-Redirect"] == BASE


def test_a_job_that_ends_while_its_page_is_asked_for_leads_to_the_request(bob, lines, as_user, addresses, monkeypatch):
    client, job, asked = as_user(bob), begun(bob, lines), []
    real = listing.tips

    def tips(pull):
        found = real(pull)
        if not asked:
            asked.append(found)
            jobs.run(job.pk)
        return found

    monkeypatch.setattr(listing, "tips", tips)
    assert client.get(addresses["list"]).headers["Location"] == BASE


def test_a_refusal_of_the_worker_is_told_on_the_page(bob, lines, as_user, addresses):
    client, job = as_user(bob), begun(bob, lines)
    client.post(addresses["choose-all"], {"side": "ours"})
    Membership.objects.filter(user=bob).delete()
    jobs.run(job.pk)
    Membership.objects.create(repository=lines.repository, user=bob, access=Access.WRITE)
    page = client.get(addresses["list"]).content.decode()
    assert 'role="alert"' in page
    assert "1 of 1 decided" in page


def test_what_is_not_decided_comes_back_with_the_message(bob, lines, as_user, addresses):
    answer = as_user(bob).post(addresses["resolve"], tips_of(lines) | {"message": "My <words>"})
    assert answer.status_code == 422
    assert "Not decided yet: a.txt (1 of 1)" in answer.content.decode()
    assert "My &lt;words&gt;" in answer.content.decode()


def test_a_branch_that_moved_is_409_and_the_choices_stay(bob, lines, as_user, parted, addresses):
    client = as_user(bob)
    client.post(addresses["choose-all"], {"side": "ours"})
    seen = tips_of(lines)
    parted.writer.commit({"else.txt": "x"})
    answer = client.post(addresses["resolve"], seen)
    assert answer.status_code == 409
    assert "The branches moved while you chose" in answer.content.decode()
    assert "1 of 1 decided" in answer.content.decode()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"choice-0": "remove", "text-0": ""}, "Choose one of"),
        ({"choice-0": "value", "text-0": "typed\0text"}, "cannot be kept"),
    ],
)
def test_what_cannot_be_chosen_comes_back_as_typed(bob, lines, as_user, addresses, form, told):
    answer = as_user(bob).post(addresses["choose"], form)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Chosen.objects.exists()


def test_places_that_there_are_not(bob, lines, as_user, addresses):
    client = as_user(bob)
    assert client.post(addresses["choose"], {"choice-1": "ours"}).status_code == 422
    assert client.post(addresses["choose-all"], {"side": "nobody's"}).status_code == 422
    assert client.post(addresses["choose"], {"page": "x"}).status_code == 400
    assert client.get(f"{BASE}/conflicts/{'0' * 32}").status_code == 404
    assert client.post(f"{BASE}/conflicts/{'0' * 32}/choose").status_code == 404


def test_many_places_come_in_pages(bob, parted, as_user):
    base = "".join(f"same\nline {n}\nsame\nsame\nsame\n" for n in range(60))
    pull = parted({"a.txt": base}, {"a.txt": base.replace("line", "our")}, {"a.txt": base.replace("line", "their")})
    client, address = as_user(bob), f"{BASE}/conflicts/{digest_of(pull)}"
    page = client.get(address).content.decode()
    assert len(re.findall("<fieldset", page)) == 50
    answer = client.post(f"{address}/choose", {"page": "1", **{f"choice-{n}": "ours" for n in range(50)}})
    assert answer.headers["Location"] == f"{address}?page=2"
    assert len(re.findall("<fieldset", client.get(f"{address}?page=2").content.decode())) == 10
    client.post(f"{address}/choose-all", {"side": "theirs"})
    client.post(f"{address}/choose", {"page": "1", "choice-3": "ours"})
    client.post(f"{BASE}/conflicts/resolve", tips_of(pull))
    assert parted.writer.git("show", "work:a.txt") + "\n" == base.replace("line", "their").replace(
        "their 3\n", "our 3\n"
    )


def test_the_list_takes_few_queries(bob, lines, as_user, addresses, django_assert_max_num_queries):
    client = as_user(bob)
    client.get(addresses["list"])
    with django_assert_max_num_queries(20):
        client.get(addresses["list"])


def test_pages_refuse_other_methods(bob, lines, as_user, addresses):
    client = as_user(bob)
    assert [client.post(addresses[page]).status_code for page in ("list", "file")] == [405, 405]
    assert {client.get(addresses[verb]).status_code for verb in (*VERBS, "resolve")} == {405}


def test_a_stranger_finds_nothing_and_a_reader_only_looks(charlie, lines, private, as_user, addresses):
    client = as_user(charlie)
    for page in ("list", "file"):
        assert client.get(addresses[page]).status_code == 404
    for verb in (*VERBS, "resolve"):
        assert client.post(addresses[verb]).status_code == 404
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    for page in ("list", "file"):
        assert client.get(addresses[page]).status_code == 200
    for verb in (*VERBS, "resolve"):
        assert client.post(addresses[verb]).status_code == 403


def test_names_and_texts_are_text(bob, parted, as_user):
    evil = "<script>alert(1)</script>"
    pull = parted({evil: "a\n"}, {evil: f"{evil}\n"}, {evil: "</pre><img src=x>\n"})
    for address in (f"{BASE}/conflicts", f"{BASE}/conflicts/{digest_of(pull)}"):
        page = as_user(bob).get(address).content.decode()
        assert evil not in page
        assert "<img src=x" not in page
