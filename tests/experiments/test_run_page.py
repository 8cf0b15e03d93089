"""The page of one run: its values with small curves, data, patch, family, note, traces; what writers may change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from experiments.details import sparks
from hub.lib import markdown
from repos.git.creation import first_commit
from repos.models import Repository
from repos.storage import store
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/runs"


@pytest.fixture
def run(client) -> str:
    return str(client.run(run_name="quail", start_time=1_700_000_000_000)["run_id"])


def page_of(pages, run_id, more="") -> str:
    answer = pages.get(f"{BASE}/{run_id}{more}")
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def tag(client, run_id, key, value) -> None:
    client.call("POST", "runs/set-tag", {"run_id": run_id, "key": key, "value": value})


def test_it_draws_a_small_curve_of_each_metric(client, pages, run):
    client.batch(run, metrics=[metric("loss", 1 / (step + 1), step) for step in range(300)])
    client.batch(run, metrics=[metric("acc", 0.5), metric("nan", "NaN", 1), metric("nan", "Infinity", 2)])
    client.batch(run, metrics=[metric("system/cpu", step, step) for step in range(3)])
    page = page_of(pages, run)
    assert page.count('<svg class="spark"') == 2
    assert f'data-url="{BASE}/{run}/history.json?key=loss"' in page
    assert page.index("<h2>Metrics</h2>") < page.index("<h2>System</h2>") < page.index("system/cpu")
    (loss,) = sparks.sparks(run, ["loss"]).values()
    assert len(loss) == 60
    assert loss == sorted(loss, reverse=True)


def test_small_curves_of_a_hundred_metrics_are_one_statement(client, pages, run, statements):
    for start in range(0, 10):
        client.batch(run, metrics=[metric(f"m{n:03}", n, step) for n in range(100) for step in range(start, start + 1)])
    with statements() as told:
        found = sparks.sparks(run, [f"m{n:03}" for n in range(100)])
    assert len(told) == 1
    assert found["m042"] == [42.0] * 10


def test_steps_as_far_apart_as_they_go_are_drawn(client, run):
    far = [(1.0, -(2**62)), (1.5, 0), (2.0, 2**62)]
    assert client.batch(run, metrics=[metric("a", value, step, timestamp=5) for value, step in far]).status == 200
    assert sparks.sparks(run, ["a"]) == {"a": [1.0, 1.5, 2.0]}


def test_a_page_costs_so_many_queries(client, pages, run, statements, django_assert_max_num_queries):
    for number in range(30):
        child = client.run(run_name=f"child-{number}")["run_id"]
        tag(client, child, "mlflow.parentRunId", run)
    client.batch(run, metrics=[metric(f"m{n}", 1.0) for n in range(30)])
    page_of(pages, run)
    with statements() as told, django_assert_max_num_queries(8):
        page = page_of(pages, run)
    assert len(told) <= 8, told
    assert page.count("child-") == 30


def test_metrics_come_in_pages_and_are_found_by_name(client, pages, run):
    client.batch(run, metrics=[metric(f"layer/{n:03}", 1.0) for n in range(120)], params=[{"key": "lr", "value": "1"}])
    first, third = page_of(pages, run), page_of(pages, run, "?page=3")
    assert "layer/049" in first
    assert "layer/050" not in first
    assert "layer/119" in third
    found = page_of(pages, run, "?name=R/11")
    assert found.count('<th scope="row">layer/11') == 10
    assert "holds “R/11”" in found  # no parameter does
    assert pages.get(f"{BASE}/{run}?page=x").status_code == 400


def test_chosen_curves_are_in_the_address(client, pages, run):
    client.batch(run, metrics=[metric(k, s, s) for k in "abcdefg" for s in range(2)])
    assert page_of(pages, run).count("data-chart ") == 4
    page = page_of(pages, run, "?metric=g&metric=nothing")
    assert page.count("data-chart ") == 1
    assert "key=g" in page


def test_it_says_how_to_run_it_again(client, pages, run, private):
    made = first_commit(
        store().create(private.pk), files={"src/train.py": b"print(1)\n"}, author="a <a@b>", message="m"
    )
    tag(client, run, "mlflow.source.git.commit", made)
    tag(client, run, "mlflow.source.name", "/home/maya/birds/src/train.py")
    page = page_of(pages, run)
    assert f"git checkout --detach {made}\npython src/train.py" in page
    assert "dvc pull" not in page
    tag(client, run, "mlflow.source.name", "x.py; rm -rf /")
    assert "rm -rf" not in page_of(pages, run).split("Run it again")[1].split("</code>")[0]


DIFF = """diff --git a/src/train.py b/src/train.py
--- a/src/train.py
+++ b/src/train.py
@@ -1 +1 @@
-lr = 0.1
+lr = <b>0.2</b>
"""


def test_a_patch_in_a_tag_is_a_difference(client, pages, run):
    tag(client, run, "mlflow.source.git.diff", DIFF)
    page = page_of(pages, run)
    assert "Not committed when it ran" in page
    assert "diff-added" in page
    assert "<b>" not in page
    tag(client, run, "mlflow.source.git.diff", "@@ nonsense \0".replace("\0", "") + "x" * 5000)
    assert "no patch as" in page_of(pages, run)


def test_inputs_name_the_version_that_has_their_md5(client, pages, run, private):
    from datasets.models import DatasetChange, DatasetVersion
    from datasets.tracked.commits import hash_of

    md5 = "0123456789abcdef0123456789abcdef"
    made = {"path": "data/birds.csv", "path_hash": hash_of("data/birds.csv"), "identity": f"md5:{md5}"}
    version = DatasetVersion.objects.create(repository=private, **made)
    DatasetChange.objects.create(repository=private, commit="a" * 40, path_hash=version.path_hash, version=version)
    for name, digest in (("birds", md5), ("frogs", "f00")):
        data = {"name": name, "digest": digest, "source_type": "local", "source": '{"uri": "s3://b/<i>"}'}
        given = [{"dataset": data, "tags": [{"key": "mlflow.data.context", "value": "train"}]}]
        client.call("POST", "runs/log-inputs", {"run_id": run, "datasets": given})
    page = page_of(pages, run)
    assert f'href="/alice/private/blob/{"a" * 40}/data/birds.csv"' in page
    assert page.count("none with this md5") == 1
    assert "s3://b/&lt;i&gt;" in page


def test_parent_and_children_lead_to_each_other(client, client_of, public, alice, pages, run):
    child = client.run(run_name="egg")["run_id"]
    tag(client, child, "mlflow.parentRunId", run)
    theirs = client_of(public, alice)
    other = theirs.run(run_name="cuckoo")["run_id"]
    tag(theirs, other, "mlflow.parentRunId", run)
    page = page_of(pages, run)
    assert f'<a href="{child}">egg</a>' in page
    assert "cuckoo" not in page
    assert f'<a href="{run}">quail</a>' in page_of(pages, child)


def test_traces_are_listed_with_a_way_to_them(client, pages, run):
    from mlflow.entities import TraceInfo, TraceLocation, TraceState

    from experiments.mlflow.inside import stores

    experiment_id = client.call("GET", f"runs/get?run_id={run}")["run"]["info"]["experiment_id"]
    repository = Repository.objects.get(name="private")
    with stores(repository.pk, user="alice") as opened:
        for number in range(30):
            where, about = TraceLocation.from_experiment_id(experiment_id), {"mlflow.sourceRun": run}
            info = TraceInfo(
                f"tr-{number:03}", where, 1000 + number, TraceState.OK, execution_duration=1500, trace_metadata=about
            )
            opened.tracking.start_trace(info)
    page = page_of(pages, run, "/traces")
    assert page.count("selectedEvaluationId=tr-") == 25
    assert "tr-029" in page
    assert "1.5 s" in page
    second = pages.get(f"{BASE}/{run}/traces?page=2", headers={"HX-Request": "true"}).content.decode()
    assert second.count("selectedEvaluationId=tr-") == 5
    assert "<html" not in second


def test_a_note_that_took_too_long_is_not_tried_at_each_view(client, pages, run, monkeypatch):
    client.call("POST", "runs/set-tag", {"run_id": run, "key": "mlflow.note.content", "value": "*slow* " * 900})
    with monkeypatch.context() as patch:
        patch.setattr(markdown, "SECONDS", 0.001)
        assert markdown.TOO_SLOW in pages.get(f"{BASE}/{run}").content.decode()
    assert markdown.TOO_SLOW in pages.get(f"{BASE}/{run}").content.decode()
    client.call("POST", "runs/set-tag", {"run_id": run, "key": "mlflow.note.content", "value": "*slow* " * 901})
    assert "<em>slow</em>" in pages.get(f"{BASE}/{run}").content.decode()


def test_a_note_is_markdown_that_writers_keep(client, pages, run, bob):
    pages.force_login(bob)
    assert pages.post(f"{BASE}/{run}/note", {"content": "# Good\n<script>x</script>"}).status_code == 302
    page = page_of(pages, run)
    assert ">Good</h1>" in page
    assert "<script>x" not in page
    assert "# Good" in page  # to edit it
    assert pages.post(f"{BASE}/{run}/note", {"content": "x" * 8001}).status_code == 400
    assert "# Good" in page_of(pages, run)
    pages.post(f"{BASE}/{run}/note", {"content": "  "})
    assert ">Good</h1>" not in page_of(pages, run)
    assert "mlflow.note.content" not in json.dumps(client.call("GET", f"runs/get?run_id={run}"))


def test_a_deleted_run_is_shown_to_writers_who_may_restore_it(client, client_of, pages, run, public, alice, charlie):
    assert pages.post(f"{BASE}/{run}/delete").status_code == 302
    page = page_of(pages, run)
    assert "This run is deleted" in page
    assert f'action="{BASE}/{run}/restore"' in page
    assert pages.post(f"{BASE}/{run}/note", {"content": "x"}).status_code in {409, 422}
    pages.post(f"{BASE}/{run}/restore")
    assert "This run is deleted" not in page_of(pages, run)
    theirs = client_of(public, alice)
    gone = theirs.run()["run_id"]
    theirs.call("POST", "runs/delete", {"run_id": gone})
    pages.force_login(charlie)
    assert pages.get(f"/alice/public/experiments/runs/{gone}").status_code == 404


def test_what_people_logged_is_text(client, pages, run):
    evil = "<script>alert(1)</script>"
    client.batch(
        run,
        params=[{"key": "p", "value": evil * 300}, {"key": "e", "value": ""}],
        tags=[{"key": evil[:7], "value": evil}],
    )
    tag(client, run, "mlflow.source.name", evil)
    assert evil not in page_of(pages, run)


@pytest.mark.parametrize("verb", ["note", "delete", "restore"])
def test_four_questions_of_a_change(client, pages, run, public, client_of, alice, charlie, verb):
    assert pages.get(f"{BASE}/{run}/{verb}").status_code == 405
    theirs = client_of(public, alice).run()["run_id"]
    assert pages.post(f"{BASE}/{theirs}/{verb}").status_code == 404  # of another repository
    pages.force_login(charlie)
    assert pages.post(f"{BASE}/{run}/{verb}").status_code == 404
    assert pages.post(f"/alice/public/experiments/runs/{theirs}/{verb}").status_code == 403
    assert f"/{verb}" not in pages.get(f"/alice/public/experiments/runs/{theirs}").content.decode()


@pytest.mark.parametrize("part", ["", "/artifacts", "/artifact?path=x", "/traces", "/history.json?key=a"])
def test_four_questions_of_a_part(client, client_of, pages, run, public, alice, charlie, part):
    assert pages.post(f"{BASE}/{run}{part}").status_code == 405
    theirs: Any = client_of(public, alice).run()["run_id"]
    assert pages.get(f"{BASE}/{theirs}{part}").status_code == 404
    pages.force_login(charlie)
    assert pages.get(f"{BASE}/{run}{part}").status_code == 404
