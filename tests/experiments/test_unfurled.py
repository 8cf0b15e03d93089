"""`run:<id>` and the addresses of runs in texts become cards with status and a metric."""

from __future__ import annotations

import pytest
from django.conf import settings

from hub.accounts.actor import Actor, Area
from repos import access
from repos.issues import timeline
from repos.models import Access, Membership
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(client) -> str:
    made = str(client.run(run_name="brave <b>quail</b>")["run_id"])
    client.batch(made, metrics=[metric("system/cpu", 1.0), metric("accuracy", 0.91234), metric("loss", 3.0)])
    client.call("POST", "runs/update", {"run_id": made, "status": "FINISHED"})
    return made


def shown(user, repository, text: str) -> str:
    actor = Actor(user=user, session=True)
    return str(timeline.preview(access.check(actor, repository, need=Access.READ, area=Area.ISSUES), actor, text))


def test_it_tells_name_status_and_a_metric(alice, private, run):
    html = shown(alice, private, f"Better: run:{run}, see {settings.COVEY_URL}/alice/private/experiments/runs/{run}.")
    assert html.count(f'href="/alice/private/experiments/runs/{run}" class="card"') == 2
    assert html.count("finished · accuracy 0.9123") == 2
    assert "brave &lt;b&gt;quail" in html


def test_what_is_not_here_stays_plain(alice, private, public, run, client):
    for repository, word in [(private, "run:" + "0" * 32), (public, f"run:{run}"), (private, f"run:{run[:8]}")]:
        html = shown(alice, repository, f"See {word}.")
        assert 'class="card"' not in html
        assert word in html
    client.call("POST", "runs/delete", {"run_id": run})
    assert 'class="card"' not in shown(alice, private, f"run:{run}")


def test_an_address_of_a_private_repository_tells_strangers_nothing(alice, bob, charlie, private, public, run):
    where = f"{settings.COVEY_URL}/alice/private/experiments/runs/{run}"
    assert "quail" not in shown(charlie, public, where)
    assert "quail" in shown(bob, public, where)
    Membership.objects.all().delete()
    assert "quail" not in shown(bob, public, where)


def test_all_of_a_page_are_two_statements(alice, private, client, run, statements):
    ids = [run, *(client.run()["run_id"] for _ in range(5))]
    with statements() as told:
        html = shown(alice, private, "\n".join(f"run:{one}" for one in ids))
    assert html.count('class="card"') == 6
    assert len(told) <= 2


@pytest.fixture
def model(client) -> str:
    made = client.run()
    for name in ("birds", "birds & bees"):
        client.ask("POST", "api/2.0/mlflow/registered-models/create", {"name": name})
        version = {"name": name, "source": f"{made['artifact_uri']}/m", "run_id": made["run_id"]}
        version["description"] = "# Counts <b>birds</b>"
        client.ask("POST", "api/2.0/mlflow/model-versions/create", version)
    return "birds"


def test_a_version_of_a_model_is_a_card(alice, charlie, private, public, model, statements):
    page = f"{settings.COVEY_URL}/alice/private/models/birds/versions/1"
    quoted = f"{settings.COVEY_URL}/alice/private/models/birds%20%26%20bees/versions/1"
    with statements() as told:
        html = shown(alice, private, f"Is model:birds/1 as good as models:/birds/1, {page} or {quoted}?")
    assert html.count('href="/alice/private/models/birds/versions/1" class="card"') == 3
    assert 'href="/alice/private/models/birds%20%26%20bees/versions/1" class="card"' in html
    assert html.count("Counts &lt;b&gt;birds") == 4
    assert len(told) <= 3
    for text in ("model:birds/2", "model:bees/1", f"{page}0", "models:/birds/Production"):
        assert 'class="card"' not in shown(alice, private, text)
    assert 'class="card"' not in shown(charlie, public, f"model:birds/1 {page}")
