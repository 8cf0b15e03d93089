"""A pull request from a run: on the branch that ends at its commit, or on one that is made; told on the run's page."""

from __future__ import annotations

import pytest
from django.conf import settings

from experiments.indexing import refresh
from repos.issues.models import Issue
from repos.models import Access, Membership
from repos.pulls.models import PullRequest
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/runs"


@pytest.fixture
def trained(client, private, writer):
    """main, and two commits after it of which `work` is at the last: a run at each. (writer, run ids by accuracy)"""
    made = writer(private)
    first = made.commit({"a.txt": "1\n"}, "First")
    middle = made.commit({"a.txt": "2\n"}, "Middle", branch="work", start=first)
    last = made.commit({"a.txt": "3\n"}, "Last", branch="work")
    runs = {}
    for sha, accuracy in ((first, 0.7), (middle, 0.75), (last, 0.9)):
        tags = [{"key": "mlflow.source.git.commit", "value": sha}]
        run_id = client.run(run_name=f"lr|`{accuracy}", tags=tags)["run_id"]
        params = [{"key": "opt.im", "value": "ad`am | @bob"}]
        client.batch(run_id, metrics=[metric("acc", accuracy), metric("odd", "NaN")], params=params)
        runs[accuracy] = run_id
    refresh(private.pk)
    return made, runs


def test_it_is_opened_from_the_branch_of_the_run(trained, pages):
    _, runs = trained
    page = pages.get(f"{BASE}/{runs[0.9]}").content.decode()
    assert f"{BASE}/{runs[0.9]}/propose" in page
    form = pages.get(f"{BASE}/{runs[0.9]}/propose").content.decode()
    assert "is the tip of <code>work</code>" in form
    body = form.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]
    assert "| `acc` | `0.7` | `0.9` | `+0.2` |" in body
    assert "| `odd` |  | `nan` |  |" in body
    assert "| `opt.im` | `ad&#x27;am \\| @bob` |" in body
    assert f"(run:{runs[0.9]})" in body
    made = pages.post(f"{BASE}/{runs[0.9]}/propose", {"title": "Better", "body": f"run:{runs[0.75]}", "base": "main"})
    assert made.headers["Location"] == "/alice/private/pull/1"
    pull = PullRequest.objects.get()
    assert (pull.head, pull.base, pull.issue.title) == ("work", "main", "Better")
    for run_id in (runs[0.9], runs[0.75]):  # whose commit it is, and which its text mentions
        assert 'href="/alice/private/pull/1"' in pages.get(f"{BASE}/{run_id}").content.decode()
    assert 'href="/alice/private/pull/1"' not in pages.get(f"{BASE}/{runs[0.7]}").content.decode()
    pages.post("/alice/private/issues/1/comment", {"body": f"As {settings.COVEY_URL}{BASE}/{runs[0.7]} said"})
    assert 'href="/alice/private/pull/1"' in pages.get(f"{BASE}/{runs[0.7]}").content.decode()


def test_a_run_of_what_is_merged_offers_none_and_says_why(trained, pages):
    made, runs = trained
    why = "Its commit is part of <code>main</code> already"

    def offers(accuracy: float) -> tuple[bool, bool]:
        page = pages.get(f"{BASE}/{runs[accuracy]}").content.decode()
        return "Open a pull request from this run" in page, why in page

    assert [offers(accuracy) for accuracy in (0.7, 0.75, 0.9)] == [(False, True), (True, False), (True, False)]
    made.git("update-ref", "refs/heads/main", made.tips["work"])
    assert offers(0.75) == offers(0.9) == (False, True)


def test_a_branch_is_made_where_none_ends(trained, pages):
    made, runs = trained
    assert "is made at its commit" in pages.get(f"{BASE}/{runs[0.75]}/propose").content.decode()
    pages.post(f"{BASE}/{runs[0.75]}/propose", {"title": "Half", "body": "", "base": "main"})
    pull = PullRequest.objects.get()
    assert pull.head == f"run/lr-0-75-{runs[0.75][:8]}"
    assert made.git("show", "-s", "--format=%s", pull.head) == "Middle"


def test_what_cannot_be_opened_leaves_no_branch(trained, pages):
    made, runs = trained
    made.git("branch", "-D", "work")
    for title, base, code in (("", "main", 422), ("x", "absent", 404)):
        answer = pages.post(f"{BASE}/{runs[0.75]}/propose", {"title": title, "body": "Mine", "base": base})
        assert answer.status_code == code
    again = pages.post(f"{BASE}/{runs[0.7]}/propose", {"title": "x", "body": "Mine", "base": "main"})
    assert again.status_code == 422
    assert "has every commit" in again.content.decode()
    assert "Mine" in again.content.decode()
    assert made.git("branch", "--format=%(refname:short)") == "main"
    assert not Issue.objects.exists()


def test_who_may_not_push_makes_no_branch(trained, as_user, bob, charlie, private):
    _, runs = trained
    url = f"{BASE}/{runs[0.75]}/propose"
    form = {"title": "x", "body": "", "base": "main"}
    assert as_user(charlie).post(url, form).status_code == 404
    assert as_user(None).get(url).headers["Location"].startswith("/account/login?")
    assert as_user(bob).delete(url).status_code == 405
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert as_user(charlie).post(url, form).status_code == 403
    assert not PullRequest.objects.exists()


def test_a_run_whose_commit_is_not_here_says_so(client, private, writer, pages):
    writer(private).commit({"a.txt": "1\n"})
    run_id = client.run(run_name="away", tags=[{"key": "mlflow.source.git.commit", "value": "a" * 40}])["run_id"]
    answer = pages.get(f"{BASE}/{run_id}/propose")
    assert answer.status_code == 404
    assert "Push its commit first" in answer.content.decode()
    assert "/propose" not in pages.get(f"{BASE}/{run_id}").content.decode()
