"""What a rule refuses, alike for pushes, web edits and the API; a pull request that meets it passes."""

from __future__ import annotations

import pytest

from hub.accounts.models import AuditEvent
from hub.lib.errors import Denied
from repos import editing, policy, publishing
from repos.editing import Put
from repos.git.store import ZERO, RefChange
from repos.models import Access, Membership
from repos.pulls import merging, opening
from repos.pulls.merging import Order
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db
MAIN = "refs/heads/main"


@pytest.fixture
def project(private, writer):
    made = writer(private)
    first = made.commit({"a.txt": "a\n"}, "First")
    made.commit({"b.txt": "b\n"}, "Second", branch="work", start=first)
    return made


def edit(user, repository, branch="main"):
    change = Put("a.txt", user.username.encode())
    return editing.commit_changes(
        seen(user, repository), as_actor(user), branch=branch, changes=[change], message="Edit"
    )


def check(user, repository, old, new, ref=MAIN):
    return policy.check(seen(user, repository), as_actor(user), [RefChange(ref, old, new)])


@pytest.mark.parametrize(
    ("push", "who", "allowed"),
    [
        ("writers", "bob", True),
        ("writers", "alice", True),
        ("admins", "bob", False),
        ("admins", "alice", True),
        ("nobody", "bob", False),
        ("nobody", "alice", False),
    ],
)
def test_who_may_push(request, private, project, ruled, push, who, allowed):
    user = request.getfixturevalue(who)
    ruled(push=push)
    if allowed:
        edit(user, private)
    else:
        with pytest.raises(Denied, match=r"The branch main is protected: (nobody|only admin).*rule 'main'") as caught:
            edit(user, private)
        assert "git push origin HEAD:my-change" in caught.value.details
        assert "/alice/private/compare" in caught.value.details
        assert project.git("rev-parse", "main") == project.tips["main"]
    edit(user, private, branch="work")


def test_rules_that_match_add_up(alice, bob, private, project, ruled):
    ruled("main")
    ruled("ma*", push="admins")
    with pytest.raises(Denied):
        edit(bob, private)
    ruled("**", push="nobody", binds_admins=False)
    with pytest.raises(Denied):  # the one of these that binds administrators asks for all of it
        edit(alice, private)


def test_administrators_are_let_go_where_the_rule_says_so(alice, bob, private, project, ruled):
    ruled(push="nobody", binds_admins=False)
    new = edit(alice, private)
    with pytest.raises(Denied):
        edit(bob, private)
    check(alice, private, new, ZERO)
    Membership.objects.filter(user=bob).update(access=Access.ADMIN)
    check(bob, private, new, project.tips["main"])


@pytest.mark.parametrize("push", ["writers", "admins", "nobody"])
def test_no_rule_lets_commits_go(alice, private, project, ruled, push):
    ruled("*", push=push)
    for ref, old, new in ((MAIN, project.tips["work"], project.tips["main"]), (MAIN, project.tips["main"], ZERO)):
        with pytest.raises(Denied, match=r"is protected and cannot be (deleted|force-pushed)"):
            check(alice, private, old, new, ref)


def test_only_administrators_begin_a_protected_branch(alice, bob, private, project, ruled):
    ruled("release/*", push="nobody")
    with pytest.raises(Denied):
        check(bob, private, ZERO, project.tips["main"], "refs/heads/release/1")
    check(alice, private, ZERO, project.tips["main"], "refs/heads/release/1")
    check(bob, private, ZERO, project.tips["main"], "refs/heads/released")
    check(bob, private, ZERO, project.tips["main"], "refs/tags/release/1")


def test_a_pull_request_passes_and_a_protected_head_stays(bob, private, project, ruled):
    ruled("main", push="nobody")
    ruled("work")
    pull = opening.open_pull(as_actor(bob), seen(bob, private), title="Work", base="main", head="work")
    commit = merging.merge(as_actor(bob), pull, Order(delete_branch=True))
    assert project.git("rev-parse", "main") == commit
    assert project.git("rev-parse", "work") == project.tips["work"]


def test_nobody_says_of_their_own_push_that_it_was_reviewed(bob, private, project, ruled):
    ruled(push="nobody")
    move = RefChange(MAIN, project.tips["main"], project.tips["work"])
    with pytest.raises(Denied):
        publishing.publish(private, as_actor(bob), [move])


def test_the_api_is_held_to_it(api, bob, private, project, ruled):
    ruled(push="nobody")
    answer = api(bob).delete("/api/v1/repos/alice/private/branches/main")
    assert answer.status_code == 403
    assert "protected" in answer.json()["error"]
    found = api(bob).get("/api/v1/repos/alice/private/branches").json()
    assert {row["name"]: row["protected"] for row in found} == {"main": True, "work": False}


def test_a_web_edit_keeps_the_text_and_says_why(as_user, bob, private, project, ruled):
    ruled(push="nobody")
    form = {"path": "c.txt", "text": "precious", "message": "", "branch": "main"}
    answer = as_user(bob).post("/alice/private/new/main", form)
    assert answer.status_code == 403
    assert "precious" in answer.content.decode()
    assert "The branch main is protected" in answer.content.decode()


def test_changes_of_rules_are_audited(as_user, alice, private):
    client = as_user(alice)
    page = "/alice/private/settings/branches"
    form = {
        "pattern": "main",
        "push": "nobody",
        "approvals": "2",
        "statuses": "ci/a\nci/b\n\nci/a",
        "binds_admins": "on",
    }
    assert client.post(f"{page}/add", form).status_code == 302
    rule = private.branch_rules.get()
    assert (rule.approvals, rule.statuses, rule.push, rule.binds_admins) == (2, ["ci/a", "ci/b"], "nobody", True)
    assert client.post(f"{page}/add", form).status_code == 422
    assert client.post(f"{page}/{rule.pk}/change", {**form, "approvals": "3"}).status_code == 302
    assert b"ci/a\nci/b" in client.get(f"{page}/{rule.pk}").content
    assert client.post(f"{page}/{rule.pk}/remove").status_code == 302
    assert client.post(f"{page}/{rule.pk}/remove").status_code == 404
    assert list(
        AuditEvent.objects.filter(action__startswith="branch_rule").order_by("pk").values_list("action", flat=True)
    ) == [f"branch_rule.{verb}" for verb in ("add", "change", "remove")]


@pytest.mark.parametrize(
    "bad",
    [
        {"pattern": "a b"},
        {"pattern": ""},
        {"pattern": "a..b"},
        {"pattern": "***"},
        {"pattern": "-x"},
        {"pattern": "a\0"},
        {"pattern": "x" * 251},
        {"pattern": "[a]"},
        {"push": "all"},
        {"approvals": "11"},
        {"approvals": "-1"},
        {"statuses": "a\x07"},
        {"statuses": "x" * 256},
        {"statuses": "\n".join(map(str, range(51)))},
    ],
)
def test_bad_rules_are_refused(as_user, alice, private, bad):
    form = {"pattern": "main", "push": "nobody", "approvals": "0", "statuses": "", **bad}
    answer = as_user(alice).post("/alice/private/settings/branches/add", form)
    assert answer.status_code == 422
    assert not private.branch_rules.exists()


def test_the_api_of_rules(api, alice, private):
    client, path = api(alice), "/api/v1/repos/alice/private/branch-rules"
    made = client.post(path, {"pattern": "main", "statuses": ["ci"]}, format="json")
    assert made.status_code == 201
    one = f"{path}/{made.json()['id']}"
    assert client.patch(one, {"approvals": 2}, format="json").json()["approvals"] == 2
    assert client.get(path).json() == [client.get(one).json()]
    assert client.get(one).json()["statuses"] == ["ci"]
    assert client.post(path, {"pattern": "main"}, format="json").status_code == 409
    assert client.patch(one, {"pattern": "a b"}, format="json").status_code == 422
    for bad in ({"approvals": 11}, {"statuses": "x"}, {"push": "me"}):
        assert client.patch(one, bad, format="json").status_code == 400
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404
    assert client.get(f"{path}/{2**63}").status_code == 404


def test_a_rule_never_asks_for_less_than_was_meant(api, alice, private, ruled):
    client, path = api(alice), "/api/v1/repos/alice/private/branch-rules"
    answer = client.post(path, {"pattern": "main", "required_approvals": 2}, format="json")
    assert answer.status_code == 400
    assert "required_approvals" in answer.content.decode()
    assert client.get(path).json() == []
    rule = ruled(approvals=1)
    assert client.patch(f"{path}/{rule.pk}", {"approval": 2}, format="json").status_code == answer.status_code


def test_rules_are_for_administrators(api, bob, charlie, private):
    path = "/api/v1/repos/alice/private/branch-rules"
    assert api(bob).get(path).status_code == 403
    assert api(charlie).get(path).status_code == 404
    assert api().get(path).status_code == 401
    assert api(bob).post(path, {}, format="json").status_code == 403
