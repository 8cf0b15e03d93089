"""The table as Python, and whether it changed."""

from __future__ import annotations

import ast
import json
import re
from html import unescape

import pytest

from experiments import listing
from experiments.filters.parser import parse
from experiments.models import RunsAct
from experiments.table import snippet
from experiments.table.columns import parsed
from tests.experiments.conftest import metric

BASE = "/alice/private/experiments"
TEXTS = (
    "", "metrics.acc > 0.9 and params.opt = 'adam'", "words alone", "not (params.lr <= 1e-3 or tags.`my team` is null)",
    'name like "%a_b%" and user not ilike "x%" and name ~ "^a.*$" and name !~ "z"', "start > -7d and duration >= 90s",
    "experiment = 'x' and experiment_id = 3 and id != 'abc' and source != 'exp'", "metrics.a = nan or metrics.b < inf",
    "datasets.digest = 'abc'", "status in (failed, killed) and params.opt not in ('a', 1)", "archived is not null",
    """params.opt = "it's `odd` \\ \\n" and commit = abc""",
)  # fmt: skip


def query(text, **options):
    return listing.Query(workspace="r1", filter=parse(text, now=1e9), **options)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("sort", ["started", "metrics.acc", "params.lr", "commit", "duration", "x", "metrics.a:min"])
def test_the_lines_are_python(text, sort):
    columns = parsed(["status", "metrics.a", "metrics.a'b:max", "metrics.c:best_step", 'params.o"dd\\'])
    lines = snippet.python(query(text, sort=sort), "http://x/o/n.mlflow", columns, ["abc"])
    ast.parse(lines)
    assert 'reindex(columns=["run_id"' in lines or "reindex(columns=['run_id'" in lines


def test_the_server_is_told_what_its_language_can_say():
    lines = snippet.python(query("metrics.acc > 0.9 and params.opt = 'adam' and params.lr < 1"), "u", [], [])
    assert "filter_string=\"metrics.`acc` > 0.9 and params.`opt` = 'adam'\"" in lines
    assert "filter_string" not in snippet.python(query("metrics.acc > 0.9 or params.opt = 'adam'"), "u", [], [])
    assert "filter_string" not in snippet.python(query("metrics.acc != 0"), "u", [], [])
    assert "isin(['abc'])" in snippet.python(query("datasets.name = 'x'"), "u", [], ["abc"])


def test_what_is_computed_of_a_history_is_of_the_runs_on_the_page():
    for lines in (
        snippet.python(query("", sort="metrics.a:min"), "u", [], ["b", "a"]),
        snippet.python(query(""), "u", parsed(["metrics.a:max"]), ["b", "a"]),
    ):
        assert "page = ['b', 'a']" in lines


@pytest.mark.django_db(transaction=True)
def test_the_page_offers_them(client, pages):
    client.batch(client.run()["run_id"], metrics=[metric("acc", 1.0)])
    page = unescape(pages.get(f"{BASE}?q=metrics.acc+%3E+0.5").content.decode())
    assert "/alice/private.mlflow')" in page
    assert "(number('metrics.acc') > 0.5)" in page or "column('metrics.acc') > 0.5" in page


@pytest.mark.django_db(transaction=True)
def test_a_version_moves_with_what_runs_do(client, pages):
    seen: list[str] = []

    def moved():
        answer = pages.get(f"{BASE}/version?seen={seen[-1] if seen else ''}")
        if answer.status_code == 204:
            return False
        seen.append(json.loads(answer.content)["version"])
        return True

    assert moved()
    assert not moved()
    run_id = client.run(start_time=5)["run_id"]
    assert moved()
    client.batch(run_id, metrics=[metric("acc", 1.0)])
    assert moved()
    client.batch(run_id, metrics=[metric("acc", 1.0, 1)])
    assert moved()
    client.call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 9})
    assert moved()
    client.call("POST", "runs/delete", {"run_id": run_id})
    assert moved()
    assert not moved()
    assert len(set(seen)) >= 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "runs/set-tag", {"key": "team", "value": "b"}),
        ("POST", "runs/delete-tag", {"key": "team"}),
        ("POST", "runs/update", {"run_name": "other"}),
        ("POST", "runs/log-batch", {"tags": [{"key": "team", "value": "c"}]}),
        ("POST", "runs/log-parameter", {"key": "opt", "value": "adam"}),
    ],
)
def test_a_version_moves_with_what_clients_change_by_hand(client, pages, method, path, body):
    run_id = client.run(start_time=5, tags=[{"key": "team", "value": "a"}])["run_id"]
    before = json.loads(pages.get(f"{BASE}/version").content)["version"]
    client.call(method, path, {"run_id": run_id, **body})
    answer = pages.get(f"{BASE}/version?seen={before}")
    assert answer.status_code == 200, "the table would go on showing what was"
    assert pages.get(f"{BASE}/version?seen={json.loads(answer.content)['version']}").status_code == 204


@pytest.mark.django_db(transaction=True)
def test_a_version_moves_with_what_is_done_in_the_table(client, pages):
    run_id = client.run(start_time=5)["run_id"]
    seen = []
    for verb, given in (("tag", {"key": "team", "value": "x"}), ("rename", {"name": "other"}), ("undo/", {})):
        address = f"{BASE}/chosen/{verb}{RunsAct.objects.latest('pk').pk if verb == 'undo/' else ''}"
        assert pages.post(address, {"run": [run_id], **given}).status_code == 302, verb
        seen.append(json.loads(pages.get(f"{BASE}/version").content)["version"])
    assert len(set(seen)) == 3


@pytest.mark.django_db(transaction=True)
def test_four_questions_of_the_version(client, pages, charlie, bob, statements):
    client.run()
    pages.get(f"{BASE}/version")
    client.run()
    for many in (2, 0):  # nothing is read twice while nothing changes
        with statements() as told:
            assert pages.get(f"{BASE}/version?seen={'x' * 9000}").status_code == 200
        assert len([one for one in told if "runs" in one]) == many
    assert pages.post(f"{BASE}/version").status_code == 405
    assert re.search(r'data-live="[^"]+/version"', pages.get(BASE).content.decode())
    pages.force_login(bob)
    assert pages.get(f"{BASE}/version").status_code == 200
    pages.force_login(charlie)
    assert pages.get(f"{BASE}/version").status_code == 404
