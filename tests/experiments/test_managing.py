"""MLflow's experiments made, renamed, described, deleted and restored on a page; by whom, and with which names."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from experiments import managing
from experiments.mlflow.context import workspace_of
from repos.models import Access, Membership

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/manage"
ODD = "größe/<b>x</b> ?#%2F"


@pytest.fixture
def one(client):
    return int(client.call("POST", "experiments/create", {"name": "birch"})["experiment_id"])


def test_an_experiment_is_made_renamed_and_described(client, pages, private):
    assert pages.post(f"{BASE}/create", {"name": ODD, "text": "why <i>so</i>"}).status_code == 302
    (made,) = managing.listed(workspace_of(private.pk), deleted=False)
    assert (made.name, made.description) == (ODD, "why <i>so</i>")
    page = pages.get(BASE).content.decode()
    assert "größe/&lt;b&gt;x&lt;/b&gt; ?#%2F" in page
    assert "why &lt;i&gt;so&lt;/i&gt;" in page
    assert pages.post(f"{BASE}/{made.experiment_id}/rename", {"name": "second"}).status_code == 302
    assert pages.post(f"{BASE}/{made.experiment_id}/describe", {"text": "because"}).status_code == 302
    found = managing.one(workspace_of(private.pk), made.experiment_id)
    assert (found.name, found.description) == ("second", "because")
    assert "second" in pages.get(f"{BASE}?q=SEC").content.decode()
    assert "No experiment holds" in pages.get(f"{BASE}?q=zzz").content.decode()


def test_a_deleted_one_comes_back_with_its_runs(client, pages, private, one):
    client.run(str(one))
    assert pages.post(f"{BASE}/{one}/delete").status_code == 302
    private.refresh_from_db()
    assert private.runs_count == 0
    assert "birch" not in pages.get(BASE).content.decode()
    assert "birch" in pages.get(f"{BASE}/deleted").content.decode()
    assert pages.post(f"{BASE}/{one}/rename", {"name": "x"}).status_code == 409
    assert pages.post(f"{BASE}/{one}/restore").status_code == 302
    private.refresh_from_db()
    assert private.runs_count == 1
    assert pages.post(f"{BASE}/{one}/restore").status_code == 409


@pytest.mark.parametrize(("name", "status"), [("", 422), (" ", 422), ("x" * 257, 422), ("a\0b", 422), ("birch", 409)])
def test_a_name_that_cannot_be_is_refused_on_the_form(name, status, pages, one):
    answer = pages.post(f"{BASE}/create", {"name": name})
    assert answer.status_code == status
    assert b'role="alert"' in answer.content


def test_the_name_of_a_deleted_one_is_said_to_be_taken(pages, one):
    pages.post(f"{BASE}/{one}/delete")
    assert "deleted experiment has this name" in pages.post(f"{BASE}/create", {"name": "birch"}).content.decode()


@pytest.mark.parametrize("verb", ["create", "ID/rename", "ID/describe", "ID/delete", "ID/restore", "reclaim"])
def test_who_may_not_write_may_not_change(verb, pages, private, charlie, bob, one):
    address = f"{BASE}/{verb.replace('ID', str(one))}"
    assert pages.get(address).status_code == 405
    stranger = Browser()
    stranger.force_login(charlie)
    assert stranger.post(address, {"name": "x"}).status_code == 404
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert stranger.post(address, {"name": "x"}).status_code == 403
    if verb == "reclaim":  # not even who may write
        stranger.force_login(bob)
        assert stranger.post(address, {"confirm": "alice/private"}).status_code == 403


@pytest.mark.parametrize("verb", ["rename", "describe", "delete", "restore"])
def test_another_repositorys_is_as_if_absent(verb, client_of, alice, public, pages, client):
    other = client_of(public, alice).call("POST", "experiments/create", {"name": "theirs"})["experiment_id"]
    assert pages.post(f"{BASE}/{other}/{verb}", {"name": "x", "text": "x"}).status_code == 404
    assert pages.post(f"{BASE}/99999999999999999999/{verb}", {"name": "x"}).status_code == 404


def test_fifty_cost_as_few_statements_as_one(client, private, statements):
    for number in range(12):
        client.call("POST", "experiments/create", {"name": f"e{number}"})
    with statements() as told:
        assert len(managing.listed(workspace_of(private.pk), deleted=False)) == 12
    assert len(told) == 3
