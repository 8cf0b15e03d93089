"""Changes of models through the hub's pages: they work, are audited, and each asks for the right to write."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from experiments.mlflow.context import workspace_of
from experiments.registry import reading
from hub.accounts.models import AuditEvent
from repos.models import Access, Membership
from tests.experiments.conftest import API
from tests.experiments.test_models import BASE, put, registered

pytestmark = pytest.mark.django_db(transaction=True)
VERBS = {
    "describe": {"text": "About birds"},
    "tags": {"key": "team", "value": "field"},
    "tags/remove": {"key": "old"},
    "aliases": {"alias": "champion", "version": "1"},
    "aliases/remove": {"alias": "gone"},
    "delete": {"confirm": "birds"},
    "versions/1/describe": {"text": "The first"},
    "versions/1/tags": {"key": "checked", "value": "yes"},
    "versions/1/tags/remove": {"key": "old"},
    "versions/1/stage": {"stage": "Production"},
    "versions/1/delete": {"confirm": "v1"},
}


@pytest.fixture
def birds(client, private):
    run = registered(client, private)
    client.call("POST", "registered-models/set-tag", {"name": "birds", "key": "old", "value": "1"})
    client.call("POST", "model-versions/set-tag", {"name": "birds", "version": "1", "key": "old", "value": "1"})
    client.call("POST", "registered-models/alias", {"name": "birds", "alias": "gone", "version": "1"})
    return run


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_works_and_is_audited(verb, birds, pages, private):
    before = AuditEvent.objects.count()  # what the client did
    answer = pages.post(f"{BASE}/birds/{verb}", VERBS[verb])
    assert answer.status_code == 302, answer.content
    assert AuditEvent.objects.count() == before + 1
    event = AuditEvent.objects.order_by("-pk")[0]
    assert event.action.startswith("model.")
    assert (event.actor_name, event.repository_id) == ("alice", private.pk)
    assert event.subject in {"birds", "birds/1"}
    workspace = workspace_of(private.pk)
    if verb == "delete":
        assert reading.count(workspace) == 0
        private.refresh_from_db()
        assert private.models_count == 0
        return
    model = reading.model(workspace, "birds")
    if verb == "versions/1/delete":
        assert (model.versions, model.aliases) == (0, {})
        return
    version = reading.version(workspace, "birds", 1)
    said = {
        "describe": model.description == "About birds",
        "tags": model.tags.get("team") == "field",
        "tags/remove": model.tags == {},
        "aliases": model.aliases == {"champion": 1, "gone": 1},
        "aliases/remove": model.aliases == {},
        "versions/1/describe": version.description == "The first",
        "versions/1/tags": version.tags.get("checked") == "yes",
        "versions/1/tags/remove": version.tags == {},
        "versions/1/stage": version.stage == "Production",
    }
    assert said[verb]
    assert "alice" in pages.get(answer["Location"]).content.decode().split("Changes")[1]


@pytest.mark.parametrize("verb", [*VERBS, "REGISTER"])
def test_who_may_not_write_may_not_change(verb, birds, private, charlie, pages):
    address = (
        f"/alice/private/experiments/runs/{birds['run_id']}/register" if verb == "REGISTER" else f"{BASE}/birds/{verb}"
    )
    if verb != "REGISTER":
        assert pages.get(address).status_code == 405
    stranger = Browser()
    stranger.force_login(charlie)
    before = AuditEvent.objects.count()
    assert stranger.post(address, VERBS.get(verb, {})).status_code == 404
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert stranger.post(address, VERBS.get(verb, {})).status_code == 403
    assert AuditEvent.objects.count() == before


def test_deletion_asks_for_the_name_in_writing(birds, pages, private):
    assert pages.post(f"{BASE}/birds/delete", {"confirm": "bird"}).status_code == 422
    assert pages.post(f"{BASE}/birds/versions/1/delete", {"confirm": "1"}).status_code == 422
    assert reading.model(workspace_of(private.pk), "birds").versions == 1


@pytest.mark.parametrize(
    ("verb", "given", "status"),
    [
        ("aliases", {"alias": "latest", "version": "1"}, 422),
        ("aliases", {"alias": "v3", "version": "1"}, 422),
        ("aliases", {"alias": "a b", "version": "1"}, 422),
        ("aliases", {"alias": "x" * 300, "version": "1"}, 422),
        ("aliases", {"alias": "x", "version": "9"}, 404),
        ("aliases", {"alias": "x", "version": "one"}, 400),
        ("aliases/remove", {"alias": "nobody"}, 404),
        ("tags", {"key": "", "value": "x"}, 422),
        ("tags", {"key": "k" * 251, "value": "x"}, 422),
        ("tags", {"key": "mlflow.prompt.is_prompt", "value": "true"}, 422),
        ("tags", {"key": "k", "value": "v" * 10_000}, 422),
        ("tags/remove", {"key": "nothing"}, 404),
        ("describe", {"text": "x" * 5001}, 422),
        ("versions/1/stage", {"stage": "Gold"}, 422),
        ("versions/7/describe", {"text": "x"}, 404),
        ("versions/99999999999999999999/describe", {"text": "x"}, 404),
    ],
)
def test_what_cannot_be_is_refused_in_words(verb, given, status, birds, pages):
    before = AuditEvent.objects.count()
    answer = pages.post(f"{BASE}/birds/{verb}", given)
    assert answer.status_code == status
    assert AuditEvent.objects.count() == before


def test_a_run_is_registered_from_its_folder(client, pages, private):
    run = client.run(run_name="good")
    put(private, run["artifact_uri"], "my model/MLmodel", "flavors: {}\n")
    address = f"/alice/private/experiments/runs/{run['run_id']}/register"
    assert "path:my model" in pages.get(address).content.decode()
    answer = pages.post(address, {"name": " größer & <b>besser? #1% ", "from": "path:my model", "text": "Fine"})
    assert answer.status_code == 302
    page = pages.get(answer["Location"]).content.decode()
    assert "größer &amp; &lt;b&gt;besser? #1% <span" in page
    assert "größer &amp; &lt;b&gt;besser? #1%</a>" in pages.get(BASE).content.decode()
    private.refresh_from_db()
    assert private.models_count == 1


def test_a_logged_model_is_registered_by_its_id(client, pages, private):
    run = client.run(run_name="good")
    made = client.call(
        "POST", "logged-models", {"experiment_id": run["experiment_id"], "name": "m", "source_run_id": run["run_id"]}
    )["model"]["info"]
    put(private, made["artifact_uri"], "MLmodel", "flavors: {}\n")
    address = f"/alice/private/experiments/runs/{run['run_id']}/register"
    assert made["model_id"] in pages.get(address).content.decode()
    answer = pages.post(address, {"name": "logged", "from": f"model:{made['model_id']}"})
    assert answer["Location"] == f"{BASE}/logged/versions/1"
    found = reading.version(workspace_of(private.pk), "logged", 1)
    assert (found.logged_id, found.run_id) == (made["model_id"], run["run_id"])
    assert "MLmodel" in pages.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "given",
    [
        {"name": "", "path": "model"},
        {"name": "a/b", "path": "model"},
        {"name": "..", "path": "model"},
        {"name": "x" * 257, "path": "model"},
        {"name": "good", "path": "nothing here"},
        {"name": "good", "path": "../../r1"},
        {"name": "good", "path": "a\0b"},
    ],
)
def test_what_cannot_be_registered_is_refused_on_its_form(given, client, pages, private):
    run = client.run()
    put(private, run["artifact_uri"], "model/MLmodel", "flavors: {}\n")
    answer = pages.post(f"/alice/private/experiments/runs/{run['run_id']}/register", given)
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert reading.count(workspace_of(private.pk)) == 0


def test_runs_and_models_of_another_repository_are_as_if_absent(client, client_of, alice, public, pages, private):
    other = registered(client_of(public, alice), public, "birds")
    assert pages.get(f"/alice/private/experiments/runs/{other['run_id']}/register").status_code == 404
    assert pages.get(f"{BASE}/birds").status_code == 404
    for verb, given in VERBS.items():
        assert pages.post(f"{BASE}/birds/{verb}", given).status_code == 404, verb
    assert reading.model(workspace_of(public.pk), "birds").versions == 1


def test_what_clients_change_is_in_the_history(birds, client, pages, private):
    version, of_models = {"name": "birds", "version": "1"}, AuditEvent.objects.filter(action__startswith="model.")
    was = of_models.count()
    stage = {**version, "stage": "Production", "archive_existing_versions": True}
    client.call("POST", "registered-models/alias", {"name": "birds", "alias": "kept", "version": "1"})
    for method, path, body in (
        ("PATCH", "registered-models/update", {"name": "birds", "description": "About birds"}),
        ("PATCH", "registered-models/update", {"name": "birds", "description": "More"}),
        ("POST", "registered-models/set-tag", {"name": "birds", "key": "old", "value": "2"}),
        ("DELETE", "registered-models/delete-tag", {"name": "birds", "key": "old"}),
        ("DELETE", "registered-models/delete-tag", {"name": "birds", "key": "old"}),  # none any more: nothing to tell
        ("POST", "registered-models/alias", {"name": "birds", "alias": "kept", "version": "1"}),
        ("DELETE", "registered-models/alias", {"name": "birds", "alias": "gone"}),
        ("DELETE", "registered-models/alias", {"name": "birds", "alias": "gone"}),  # none any more: nothing to tell
        ("PATCH", "model-versions/update", {**version, "description": "x" * 1000}),
        ("DELETE", "model-versions/delete-tag", {**version, "key": "old"}),
        ("DELETE", "model-versions/delete-tag", {**version, "key": "old"}),  # none any more: nothing to tell
        ("POST", "model-versions/transition-stage", stage),
        ("POST", "registered-models/rename", {"name": "birds", "new_name": "finches"}),
        ("DELETE", "model-versions/delete", {"name": "finches", "version": "1"}),
        ("DELETE", "registered-models/delete", {"name": "finches"}),
    ):
        client.call(method, path, body)
    events = list(of_models.order_by("pk"))
    assert {(event.actor_name, event.repository_id) for event in events[was:]} == {("alice", private.pk)}
    told = [(event.action.removeprefix("model."), event.subject, event.change) for event in events]
    run_id, source = birds["run_id"], f"{birds['artifact_uri']}/model"
    assert told[:was] == [
        ("create", "birds", ""),
        ("register", "birds/1", f"run: {run_id}, source: {source}, version: 1"),
        ("tag", "birds", "old: 1"),
        ("tag", "birds/1", "old: 1"),
        ("alias", "birds/1", "alias: gone, version: 1"),
    ]
    assert told[was:] == [
        ("alias", "birds/1", "alias: kept, version: 1"),
        ("describe", "birds", "About birds"),
        ("describe", "birds", "About birds → More"),
        ("tag", "birds", "old: 1 → old: 2"),
        ("tag-delete", "birds", "old: 2"),
        ("alias", "birds/1", "alias: kept, version: 1 → alias: kept, version: 1"),
        ("alias-delete", "birds/1", "alias: gone, version: 1"),
        ("describe", "birds/1", "x" * 200),
        ("tag-delete", "birds/1", "old: 1"),
        ("stage", "birds/1", "stage: None → others: archived, stage: Production"),
        ("rename", "finches", "birds → finches"),
        ("version-delete", "finches/1", f"aliases: kept, run: {run_id}, source: {source}, version: 1"),
        ("delete", "finches", "versions: 0"),
    ]


def test_a_clients_change_is_on_the_models_page_and_a_refused_one_is_not(birds, client, pages):
    was = AuditEvent.objects.count()
    answer = client.ask("POST", f"{API}/registered-models/set-tag", {"name": "nothing", "key": "a", "value": "b"})
    assert answer.status == 404
    assert AuditEvent.objects.count() == was
    text = pages.get(f"{BASE}/birds").content.decode().split("Changes")[1]
    assert "tagged it <" in text
    assert "tagged v1 <" in text
    assert "alias: gone, version: 1" in text
