"""Verbs of the table: on the ticked runs with their undo, on views, on the baseline and what is agreed on."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone
from pyarrow import parquet

from experiments.models import RunsAct, SavedView, TableSettings
from experiments.tracked import marks
from tests.experiments.conftest import metric

BASE = "/alice/private/experiments"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(client):
    """Runs 0, 1, 2: loss 1, 0.5, 2 and acc 0.5, 0.7, 0.5; odd 1, 2, 3."""
    ids = []
    for number, (loss, acc) in enumerate(((1.0, 0.5), (0.5, 0.7), (2.0, 0.5))):
        run_id = client.run(run_name=f"try-{number}", start_time=1000 + number)["run_id"]
        client.batch(run_id, metrics=[metric("loss", loss), metric("acc", acc), metric("odd", number + 1)])
        ids.append(run_id)
    return ids


def shown(pages, more=""):
    page = pages.get(f"{BASE}?sort=name{more}").content.decode()
    return re.findall(r'<th scope="row">(?:<a class="nest".*?</a> )?<a href="[^"]+">([^<]+)</a>', page)


def undo(pages):
    """Follow the offer of the next page."""
    page = pages.get(f"{BASE}?sort=name").content.decode()
    action, said = re.search(r'action="([^"]+chosen/undo/[^"]+)">.*?>\s*([^<]+?) <button', page, re.S).groups()
    assert "chosen/undo" not in pages.get(f"{BASE}?sort=name").content.decode()
    assert pages.post(unescape(action)).status_code == 302
    return said


def info(client, run_id):
    return client.call("GET", f"runs/get?run_id={run_id}")["run"]


def tags_of(client, run_id):
    return {tag["key"]: tag["value"] for tag in info(client, run_id)["data"]["tags"]}


def test_archived_runs_are_hidden_until_asked_for(client, three, pages):
    answer = pages.post(f"{BASE}/chosen/archive?sort=name&q=try", {"run": three[:2]})
    assert answer["Location"] == f"{BASE}?sort=name&q=try"
    assert shown(pages) == ["try-2"]
    assert shown(pages, "&show=archived") == ["try-0", "try-1"]
    assert shown(pages, "&show=all") == ["try-0", "try-1", "try-2"]
    assert shown(pages, "&q=archived+is+not+null") == ["try-0", "try-1"]
    assert info(client, three[0])["info"]["lifecycle_stage"] == "active"
    pages.post(f"{BASE}/chosen/unarchive?show=archived", {"run": three[0]})
    assert shown(pages) == ["try-0", "try-2"]


def test_deleted_runs_are_mlflows_own_and_come_back(client, three, pages, private):
    pages.post(f"{BASE}/chosen/delete", {"run": three[1:]})
    assert info(client, three[1])["info"]["lifecycle_stage"] == "deleted"
    assert shown(pages) == ["try-0"]
    assert shown(pages, "&show=deleted") == ["try-1", "try-2"]
    private.refresh_from_db()
    assert private.runs_count == 1
    pages.post(f"{BASE}/chosen/restore?show=deleted", {"run": three[1]})
    assert info(client, three[1])["info"]["lifecycle_stage"] == "active"
    client.call("POST", "runs/restore", {"run_id": three[2]})
    assert shown(pages) == ["try-0", "try-1", "try-2"]


def test_every_act_is_undone(client, three, pages):
    client.batch(three[0], tags=[{"key": "team", "value": "old"}])
    before = [info(client, run_id) for run_id in three]
    acts = {
        "archive": ({}, "3 runs archived."),
        "delete": ({}, "3 runs deleted."),
        "tag": ({"key": "team", "value": "ünï ∞"}, "3 runs tagged."),
        "rename": ({"name": "best"}, "3 runs renamed."),
    }
    for verb, (fields, words) in acts.items():
        assert pages.post(f"{BASE}/chosen/{verb}", {"run": three, **fields}).status_code == 302
        assert [info(client, run_id) for run_id in three] != before
        assert undo(pages) == words
        after = [info(client, run_id) for run_id in three]
        for one, other in zip(before, after, strict=True):
            assert one["info"] == other["info"]
            assert sorted(map(str, one["data"]["tags"])) == sorted(map(str, other["data"]["tags"]))
    assert not RunsAct.objects.exists()


def test_tags_and_names_are_mlflows(client, three, pages):
    pages.post(f"{BASE}/chosen/tag", {"run": three[:2], "key": "team", "value": "x"})
    pages.post(f"{BASE}/chosen/rename", {"run": three[:2], "name": "best"})
    assert tags_of(client, three[1])["team"] == "x"
    assert info(client, three[1])["info"]["run_name"] == tags_of(client, three[1])["mlflow.runName"] == "best 2"
    pages.post(f"{BASE}/chosen/rename", {"run": three[2], "name": "last"})
    assert info(client, three[2])["info"]["run_name"] == "last"
    pages.post(f"{BASE}/chosen/tag", {"run": three, "key": "team", "value": ""})
    assert "team" not in tags_of(client, three[1])


@pytest.mark.parametrize(
    ("verb", "fields", "status"),
    [
        ("archive", {}, 400),
        ("archive", {"run": "é"}, 400),
        ("archive", {"run": "f" * 32}, 404),
        ("delete", {"run": [f"{number:032}" for number in range(501)]}, 400),
        ("tag", {"key": "mlflow.user", "value": "bob"}, 422),
        ("tag", {"key": "covey.source", "value": "exp"}, 422),
        ("tag", {"key": "", "value": "x"}, 422),
        ("tag", {"key": "a" * 251, "value": "x"}, 422),
        ("tag", {"key": "a", "value": "x" * 10_000}, 422),
        ("tag", {"key": "a", "value": "\0"}, 422),
        ("rename", {"name": " "}, 422),
        ("rename", {"name": "x" * 10_000}, 422),
    ],
)
def test_bad_input_changes_nothing(client, three, pages, verb, fields, status):
    before = info(client, three[0])
    assert (
        pages.post(f"{BASE}/chosen/{verb}", {"run": three[0], **fields} if status == 422 else fields).status_code
        == status
    )
    assert info(client, three[0]) == before


def test_runs_of_other_repositories_are_as_if_absent(client, client_of, public, alice, three, pages):
    theirs = client_of(public, alice)
    run_id = theirs.run(run_name="theirs")["run_id"]
    for verb, fields in {
        "delete": {},
        "archive": {},
        "tag": {"key": "a", "value": "b"},
        "rename": {"name": "x"},
    }.items():
        assert pages.post(f"{BASE}/chosen/{verb}", {"run": run_id, **fields}).status_code == 404
    pages.post(f"{BASE}/chosen/archive", {"run": [run_id, three[0]]})
    assert info(theirs, run_id)["info"]["run_name"] == "theirs"
    assert "covey.archived" not in tags_of(theirs, run_id)


def test_runs_made_from_git_can_be_archived_only(three, pages, private, monkeypatch):
    monkeypatch.setattr(marks, "is_tracked", lambda run_id: run_id == three[0])
    for verb, fields in {"delete": {}, "tag": {"key": "a", "value": "b"}, "rename": {"name": "x"}}.items():
        assert pages.post(f"{BASE}/chosen/{verb}", {"run": three[0], **fields}).status_code == 422
    pages.post(f"{BASE}/chosen/delete", {"run": three[:2]})
    assert shown(pages) == ["try-0", "try-2"]
    pages.post(f"{BASE}/chosen/archive", {"run": three[0]})
    assert shown(pages) == ["try-2"]


def test_an_act_is_undone_by_its_person_in_its_repository(three, pages, bob, public):
    pages.post(f"{BASE}/chosen/archive", {"run": three[0]})
    number = RunsAct.objects.get().pk
    assert pages.post(f"/alice/public/experiments/chosen/undo/{number}").status_code == 404
    pages.force_login(bob)
    assert pages.post(f"{BASE}/chosen/undo/{number}").status_code == 404


def test_old_acts_are_forgotten(three, pages):
    pages.post(f"{BASE}/chosen/archive", {"run": three[0]})
    RunsAct.objects.update(made=timezone.now() - timedelta(days=2))
    pages.post(f"{BASE}/chosen/archive", {"run": three[1]})
    assert RunsAct.objects.count() == 1


# ---- baseline and pins -----------------------------------------------------------------------------
def test_metrics_are_measured_against_a_baseline(three, pages):
    answer = pages.post(
        f"{BASE}/chosen/baseline?sort=name&columns=name,metrics.loss,metrics.acc,metrics.odd", {"run": three[0]}
    )
    page = pages.get(answer["Location"]).content.decode()
    assert f"baseline={three[0]}" in answer["Location"]
    assert '0.5 <span class="delta delta-good">−0.5</span>' in page
    assert '2 <span class="delta delta-bad">+1</span>' in page
    assert '0.7 <span class="delta delta-good">+0.2</span>' in page
    assert '0.5 <span class="delta">±0</span>' in page
    assert '3 <span class="delta">+2</span>' in page
    assert "lower (guessed)" in page
    assert '<tr class="pinned baseline">' in page


def test_directions_are_declared_for_everybody(three, pages, bob):
    address = f"baseline={three[0]}&columns=metrics.odd,metrics.loss"
    form = {"direction.odd": "min", "direction.loss": "max"}
    assert pages.post(f"{BASE}/directions?{address}", form).status_code == 302
    page = pages.get(f"{BASE}?{address}").content.decode()
    assert '3 <span class="delta delta-bad">+2</span>' in page
    assert '0.5 <span class="delta delta-bad">−0.5</span>' in page
    pages.post(f"{BASE}/directions", {"direction.odd": ""})
    assert TableSettings.objects.get().directions == {"loss": "max"}
    assert pages.post(f"{BASE}/directions", {"direction.odd": "up"}).status_code == 400
    assert pages.post(f"{BASE}/directions", {"direction.": "min"}).status_code == 400


def test_a_kept_baseline_is_everybodys_until_one_names_another(three, pages, bob):
    pages.post(f"{BASE}/baseline/keep?baseline={three[0]}")
    pages.force_login(bob)
    assert '<tr class="pinned baseline">' in pages.get(BASE).content.decode()
    assert "pinned" not in re.findall(r"<tr class=\"([^\"]+)", pages.get(f"{BASE}?baseline=").content.decode())
    other = pages.get(f"{BASE}?baseline={three[1]}").content.decode()
    assert re.search(rf'<tr class="pinned baseline">.*?value="{three[1]}"', other)
    pages.post(f"{BASE}/baseline/keep?baseline={three[0]}&baseline=")
    assert TableSettings.objects.get().baseline == ""


def test_pinned_runs_stand_above_every_page(three, pages, client_of, public, alice):
    foreign = client_of(public, alice).run()["run_id"]
    answer = pages.post(f"{BASE}/chosen/pin?q=try-2", {"run": [three[1], three[0], foreign]})
    page = pages.get(answer["Location"]).content.decode()
    above = page.split('class="cells pinned-rows"')[1].split("</tbody>")[0]
    assert re.findall(r'name="run" value="(\w+)"', above) == [three[1], three[0]]
    assert "1 run<" in page
    close = unescape(re.search(r'class="unpin" href="([^"]+)"', above).group(1))
    assert f"pinned={three[0]}" in close
    assert f"pinned={three[1]}" not in close


def test_a_pinned_run_is_listed_once(three, pages, client):
    child = client.run(tags=[{"key": "mlflow.parentRunId", "value": three[1]}])["run_id"]
    for chosen in (f"baseline={three[0]}", f"pinned={three[0]}&q=try-0", f"baseline={three[0]}&flat=1"):
        assert pages.get(f"{BASE}?{chosen}").content.decode().count(f'value="{three[0]}" form="compare"') == 1
    family = pages.get(f"{BASE}?pinned={three[1]}&open={three[1]}").content.decode().split("pinned-rows")[1]
    listed = re.findall(r'name="run" value="(\w+)"', family.split("</tbody>")[1])
    assert listed[listed.index(three[1]) + 1] == child


@pytest.mark.parametrize("runs", [[], ["é"], ["a", "b"]])
def test_a_baseline_is_one_run(three, pages, runs):
    assert pages.post(f"{BASE}/chosen/baseline", {"run": runs}).status_code == 400


# ---- views -----------------------------------------------------------------------------------------
def save(pages, query, name, **more):
    return pages.post(f"{BASE}/views/save?{query}", {"name": name, **more})


def test_a_view_is_an_address_by_name(three, pages, bob):
    save(pages, "q=try-1&sort=name&after=xyz", "Mine")
    view = SavedView.objects.get()
    assert view.query == "q=try-1&sort=name"
    assert pages.get(f"{BASE}?view={view.pk}")["Location"] == f"{BASE}?{view.query}"
    assert 'aria-current="true">Mine</a>' in pages.get(f"{BASE}?{view.query}").content.decode()
    save(pages, "q=try-2", "Mine")
    assert SavedView.objects.get().query == "q=try-2"
    pages.force_login(bob)
    assert ">Mine</a>" not in pages.get(BASE).content.decode()
    assert pages.get(f"{BASE}?view={view.pk}").status_code == 404
    assert pages.post(f"{BASE}/views/{view.pk}/delete").status_code == 404
    assert pages.get(f"{BASE}?view=x").status_code == 400


def test_a_shared_view_can_be_what_everybody_sees_first(three, pages, bob):
    save(pages, "q=try-1", "Ours", shared="1")
    save(pages, "q=try-2", "Mine")
    ours, mine = (SavedView.objects.get(name=name).pk for name in ("Ours", "Mine"))
    assert pages.post(f"{BASE}/views/{mine}/default").status_code == 422
    pages.post(f"{BASE}/views/{ours}/default")
    pages.force_login(bob)
    page = pages.get(BASE).content.decode()
    assert 'value="try-1"' in page
    assert "1 run<" in page
    assert shown(pages) == ["try-0", "try-1", "try-2"]
    assert pages.post(f"{BASE}/views/{ours}/delete").status_code == 403
    assert save(pages, "q=x", "Ours", shared="1").status_code == 409
    pages.post(f"{BASE}/views/no-default")
    assert 'value="try-1"' not in pages.get(BASE).content.decode()


def test_a_deleted_view_is_nobodys_first(three, pages):
    save(pages, "q=try-1", "Ours", shared="1")
    number = SavedView.objects.get().pk
    pages.post(f"{BASE}/views/{number}/default")
    pages.post(f"{BASE}/views/{number}/delete")
    assert "3 runs<" in pages.get(BASE).content.decode()


def test_a_view_that_is_no_longer_shared_is_nobodys_first(three, pages, bob):
    save(pages, "q=try-1", "Ours", shared="1")
    pages.post(f"{BASE}/views/{SavedView.objects.get().pk}/default")
    save(pages, "q=try-2", "Ours")
    pages.force_login(bob)
    assert "3 runs<" in pages.get(BASE).content.decode()


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\0b"])
def test_a_view_needs_a_name(three, pages, name):
    assert save(pages, "q=x", name).status_code == 422


def test_a_view_of_strange_bytes_is_kept_or_refused(three, pages):
    assert save(pages, "q=%00%ff&=&&" + "a" * 5000, "odd").status_code == 302
    assert save(pages, "q=" + "a" * 17_000, "long").status_code == 422


# ---- files -----------------------------------------------------------------------------------------
def test_parquet_has_numbers_times_and_texts(client, three, pages):
    client.batch(three[0], metrics=[metric("bad", "NaN")], params=[{"key": "lr", "value": "=1+1"}])
    answer = pages.get(f"{BASE}?format=parquet&sort=name&columns=metrics.loss,metrics.bad,metrics.loss:max,params.lr")
    rows = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert [row["metrics.loss"] for row in rows] == [1.0, 0.5, 2.0]
    assert str(rows[0]["metrics.bad"]) == "nan"
    assert rows[1]["metrics.bad"] is None
    assert [row["metrics.loss:max"] for row in rows] == [1.0, 0.5, 2.0]
    assert [row["params.lr"] for row in rows] == ["=1+1", None, None]
    assert rows[0]["start"].isoformat() == "1970-01-01T00:00:01+00:00"
    assert rows[0]["duration_seconds"] is None


def test_parquet_of_no_runs(pages):
    answer = pages.get(f"{BASE}?format=parquet&columns=metrics.loss")
    assert parquet.read_table(io.BytesIO(answer.content)).num_rows == 0


def test_json_of_the_page_names_what_it_holds(three, pages):
    told = json.loads(pages.get(f"{BASE}?format=json&columns=name,user,metrics.loss&show=all").content)
    assert told["columns"] == ["metrics.loss"]
    assert len(told["runs"]) == 3


READERS = ["chosen/baseline", "chosen/pin", "views/save"]
WRITERS = ["chosen/archive", "chosen/unarchive", "chosen/delete", "chosen/restore", "chosen/tag", "chosen/rename",
           "chosen/undo/1", "baseline/keep", "directions", "views/no-default", "views/1/default"]  # fmt: skip


@pytest.mark.parametrize("verb", [*READERS, *WRITERS])
def test_four_questions(three, pages, charlie, bob, verb, public):
    fields = {"run": three[0], "name": "x", "key": "k", "value": "v"}
    assert pages.get(f"{BASE}/{verb}").status_code == 405
    pages.force_login(charlie)
    assert pages.post(f"{BASE}/{verb}", fields).status_code == 404
    reading = pages.post(f"/alice/public/experiments/{verb}", fields).status_code
    assert reading == 403 if verb in WRITERS else reading == 302
    pages.force_login(bob)
    assert pages.post(f"{BASE}/{verb}", fields).status_code == (
        404 if "/1" in verb or verb == "chosen/restore" else 302
    )
