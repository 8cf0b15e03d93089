"""Comments on runs and on versions of models: shown at both places, kept when what they are about goes."""

from __future__ import annotations

import pytest

from hub.accounts.actor import Actor, Area
from hub.lib.errors import NotFound, Unprocessable
from repos import access
from repos.issues import opening, threads
from repos.issues.threads import Spot
from repos.models import Access
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(client) -> str:
    made = str(client.run(run_name="quail")["run_id"])
    client.batch(made, metrics=[metric("system/cpu", 1.0), metric("accuracy", 0.9), metric("loss", "NaN")])
    return made


@pytest.fixture
def version(client, run) -> str:
    client.call("POST", "registered-models/create", {"name": "ranker"})
    source = {"name": "ranker", "source": f"runs:/{run}/model", "run_id": run}
    return f"ranker/{client.call('POST', 'model-versions/create', source)['model_version']['version']}"


@pytest.fixture
def begun(bob, private):
    def make(kind, path, *, repository=private, user=bob, **fields):
        actor = Actor(user=user, session=True)
        here = access.check(actor, repository, need=Access.READ, area=Area.ISSUES)
        issue = opening.open_issue(actor, here, title="Look")
        return threads.begin(actor, issue, Spot(kind, path, **fields), "Why so low?").thread

    return make


def spot(user, repository, thread) -> threads.ShownSpot:
    return threads.shown_spots(Actor(user=user, session=True), repository, [thread])[thread.pk]


def test_a_run_is_shown_with_its_metrics(begun, bob, private, run, client):
    thread = begun("run", run)
    assert thread.detail == {"name": "quail", "status": "RUNNING", "metrics": {"accuracy": "0.9", "loss": "nan"}}
    client.batch(run, metrics=[metric("accuracy", 0.95, 1)])
    found = spot(bob, private, thread)
    assert found.title == "run quail"
    assert found.address == f"/alice/private/experiments/runs/{run}"
    assert "<del>0.9</del> → <ins>0.95</ins>" in found.quoted
    assert "<strong>nan</strong>" in found.quoted


def test_a_deleted_run_is_shown_as_it_was(begun, bob, private, run, client):
    thread = begun("run", run)
    client.call("POST", "runs/delete", {"run_id": run})
    found = spot(bob, private, thread)
    assert (found.outdated, found.address) == (True, "")
    assert "0.9" in found.quoted


def test_a_version_of_a_model(begun, bob, private, version, client, run):
    thread = begun("model", version)
    found = spot(bob, private, thread)
    assert (found.title, found.address) == ("ranker v1", "/alice/private/models/ranker/versions/1")
    assert run[:7] in found.quoted
    client.call("DELETE", "model-versions/delete", {"name": "ranker", "version": "1"})
    assert spot(bob, private, thread).outdated


@pytest.mark.parametrize("path", ["0" * 32, "x", "../x", "x" * 900, "ключ"])
def test_runs_that_are_none_are_absent(path, begun, run):
    with pytest.raises(NotFound):
        begun("run", path)


@pytest.mark.parametrize(
    "path", ["ranker", "ranker/2", "ranker/x", "ranker/0", "/1", "no/1", "ranker/99999999999999", "ranker/²"]
)
def test_versions_that_are_none_are_absent(path, begun, version):
    with pytest.raises(NotFound):
        begun("model", path)


def test_ids_of_other_repositories_are_absent(begun, alice, public, run, version):
    for kind, path in (("run", run), ("model", version)):
        with pytest.raises(NotFound):
            begun(kind, path, repository=public, user=alice)
    with pytest.raises(Unprocessable):
        begun("run", run, rev="a" * 40)


def test_it_is_shown_at_its_place_too(begun, pages, run, version):
    for kind, path, place in (
        ("run", run, f"/alice/private/experiments/runs/{run}"),
        ("model", version, "/alice/private/models/ranker/versions/1"),
    ):
        begun(kind, path)
        html = pages.get(place).content.decode()
        panel = html.split('class="said-here"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
        fragment = pages.get(panel, headers={"HX-Request": "true"}).content.decode()
        assert "Why so low?" in fragment
        assert f"/alice/private/issues/threads/begin?kind={kind}" in fragment


def test_many_are_found_with_few_statements(begun, bob, private, run, version, client, statements):
    found = [begun("run", run), begun("run", client.run()["run_id"]), begun("model", version), begun("run", run)]
    with statements() as told:
        shown = threads.shown_spots(Actor(user=bob, session=True), private, found)
    assert len(shown) == 4
    assert len(told) <= 3
