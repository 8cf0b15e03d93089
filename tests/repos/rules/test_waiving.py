"""Administrators pass a rule only where it says so, and never what no rule asks for."""

from __future__ import annotations

import pytest

from hub.accounts.models import AuditEvent
from hub.lib.errors import Denied
from repos.pulls import merging, opening, requirements
from repos.pulls.merging import Order
from repos.pulls.requirements import RequirementsUnmet, Unmet
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(alice, private, writer):
    made = writer(private)
    first = made.commit({"a.txt": "a\n"}, "First")
    made.commit({"b.txt": "b\n"}, "Second", branch="work", start=first)
    opening.open_pull(as_actor(alice), seen(alice, private), title="Work", base="main", head="work")
    return lambda user: opening.pull_of(seen(user, private), 1)


@pytest.fixture
def wanted(registering):
    found = [Unmet("Approvals", "None yet.", by_rule=True)]
    requirements.register(lambda pull, base, head: found)
    return found


def test_only_whom_no_rule_binds(alice, bob, proposed, wanted, ruled):
    rule = ruled()
    for user in (alice, bob):
        with pytest.raises(Denied, match="bind you too"):
            merging.merge(as_actor(user), proposed(user), Order(waive=True))
    rule.binds_admins = False
    rule.save()
    with pytest.raises(Denied):
        merging.merge(as_actor(bob), proposed(bob), Order(waive=True))
    with pytest.raises(RequirementsUnmet):
        merging.merge(as_actor(alice), proposed(alice), Order())
    merging.merge(as_actor(alice), proposed(alice), Order(waive=True))
    assert AuditEvent.objects.get(action="branch_rule.waive").subject == "#1 of alice/private into main"


def test_what_no_rule_asks_for_stays(alice, proposed, wanted, ruled):
    ruled(binds_admins=False)
    wanted.append(Unmet("Draft", "It is a draft."))
    with pytest.raises(RequirementsUnmet, match="Draft"):
        merging.merge(as_actor(alice), proposed(alice), Order(waive=True))


def test_the_page_offers_it(alice, bob, as_user, proposed, wanted, ruled):
    ruled(binds_admins=False)
    path = "/alice/private/pull/1"
    assert b'name="waive"' in as_user(alice).get(f"{path}/merge-box").content
    assert b'name="waive"' not in as_user(bob).get(f"{path}/merge-box").content
    as_user(alice).post(f"{path}/merge", {"method": "merge", "waive": "1"})
    assert proposed(alice).merged
