"""Runs in groups, and runs inside runs."""

from __future__ import annotations

import re
from html import unescape

import pytest

from experiments import listing
from experiments.filters.parser import joinable, parse
from experiments.mlflow.context import workspace_of
from experiments.table import groups
from experiments.table.tree import Nest
from tests.experiments.conftest import metric

BASE = "/alice/private/experiments"
pytestmark = pytest.mark.django_db(transaction=True)


def query(private, text="", **options):
    return listing.Query(workspace=workspace_of(private.pk), filter=parse(text), **options)


@pytest.fixture
def seeds(client):
    """opt adam: acc 0.1, 0.2, 0.6; opt "li`on" quoted: acc 0.5, NaN; one without opt: acc ∞."""
    made = {}
    for opt, values in {"adam": (0.1, 0.2, 0.6), 'a "b"': (0.5, "NaN"), None: ("Infinity",)}.items():
        for value in values:
            run_id = client.run(run_name=f"{opt}-{value}")["run_id"]
            params = [{"key": "opt", "value": opt}] if opt else []
            client.batch(run_id, metrics=[metric("acc", value)], params=params)
            made[(opt, value)] = run_id
    return made


def test_a_group_has_the_statistics_of_its_runs(seeds, private):
    found = groups.page(query(private, columns=("metrics.acc",)), ("params.opt",), 1)
    assert [(group.key, group.runs) for group in found.rows] == [(("adam",), 3), (('a "b"',), 2), ((None,), 1)]
    adam, quoted, none = (group.metrics.get("acc") for group in found.rows)
    assert (adam.values, adam.mean, adam.least, adam.most) == (3, pytest.approx(0.3), 0.1, 0.6)
    assert adam.deviation == pytest.approx(0.2645751311)
    assert (quoted.values, quoted.mean, quoted.deviation) == (1, 0.5, None)
    assert none is None
    assert found.total == 3


def test_two_names_and_an_order_by_a_mean(seeds, private):
    asked = query(private, columns=("metrics.acc",), sort="metrics.acc", descending=True)
    found = groups.page(asked, ("params.opt", "status"), 1)
    assert [group.key for group in found.rows] == [('a "b"', "RUNNING"), ("adam", "RUNNING"), (None, "RUNNING")]


def test_groups_cost_five_statements(seeds, private, statements):
    groups.page(query(private), ("params.opt",), 1)
    with statements() as told:
        groups.page(query(private), ("params.opt", "user", "datasets.digest"), 1)
    assert len(told) <= 5, told


def test_groups_are_paged(client, private, monkeypatch):
    for number in range(5):
        client.batch(client.run()["run_id"], params=[{"key": "p", "value": str(number)}])
    monkeypatch.setattr(groups, "PAGE_GROUPS", 2)
    pages = [groups.page(query(private, sort="params.p", descending=False), ("params.p",), at) for at in (1, 2, 3)]
    assert [[group.key[0] for group in page.rows] for page in pages] == [["0", "1"], ["2", "3"], ["4"]]
    assert pages[0].total == 5


@pytest.mark.parametrize("text", ["", "adam", "metrics.acc > 0 or params.opt is null", "status != failed"])
def test_the_link_of_a_group_shows_its_runs(seeds, pages, private, text):
    page = pages.get(BASE, {"group": "params.opt,user", "q": text}).content.decode()
    rows = page.split("<tbody>")[1].split("</tr>")[:-1]
    assert rows
    for row in rows:
        href, count = re.search(r'href="([^"]+)"[^>]*>([0-9]+)</a>', row).groups()
        shown = pages.get(BASE + unescape(href)).content.decode()
        assert f"{count} run" in shown
        assert shown.count('<td class="choose">') == int(count)


@pytest.mark.parametrize(
    ("asked", "found"),
    [("params.a,status", ("params.a", "status")), ("x,,params.,tags.t", ("tags.t",)), ("a" * 9999, ()),
     ("status,user,source,commit", ("status", "user", "source"))],
)  # fmt: skip
def test_names_to_group_by(asked, found):
    assert groups.names(asked) == found


@pytest.mark.parametrize("by", groups.BY)
def test_every_name_can_be_grouped_by(seeds, pages, by):
    assert pages.get(BASE, {"group": by}).status_code == 200


def test_a_filter_is_joined_without_a_change_of_meaning():
    assert parse(joinable("res net")) == parse("res net")
    assert parse(joinable(" a = 1 or b = 2 ".replace("a ", "params.a ").replace("b ", "params.b "))) is not None
    assert joinable("  ") == ""


@pytest.mark.parametrize("page", ["0", "x", "1001", "%00", ""])
def test_a_page_that_is_none_is_refused(seeds, pages, page):
    assert pages.get(f"{BASE}?group=status&page={page}").status_code == 400


# ---- runs inside runs ------------------------------------------------------------------------------
@pytest.fixture
def family(client):
    """search > fold-0, fold-1 > inner; and alone, lost (its parent is deleted), self (its own parent)."""
    made = {}
    for number, (name, parent) in enumerate(
        (("search", ""), ("fold-0", "search"), ("fold-1", "search"), ("inner", "fold-1"), ("alone", ""),
         ("gone", ""), ("lost", "gone"))
    ):  # fmt: skip
        tags = [{"key": "mlflow.parentRunId", "value": made[parent]}] if parent else []
        made[name] = client.run(run_name=name, start_time=1000 + number, tags=tags)["run_id"]
    made["self"] = client.run(run_name="self")["run_id"]
    client.batch(made["self"], tags=[{"key": "mlflow.parentRunId", "value": made["self"]}])
    client.call("POST", "runs/delete", {"run_id": made["gone"]})
    client.batch(made["inner"], metrics=[metric("acc", 0.9)])
    return made


def tree(private, text="", **options):
    page = listing.page(query(private, text, nested=True, sort="name", descending=False, **options))
    return [
        (row.name, (nest := page.nests.get(row.run_id, Nest())).depth, nest.children, nest.outside) for row in page.rows
    ]


def test_the_tree_lists_what_has_no_parent_here(family, private):
    assert tree(private) == [
        ("alone", 0, 0, False), ("lost", 0, 0, False), ("search", 0, 2, False), ("self", 0, 0, False)
    ]  # fmt: skip


def test_a_page_of_the_tree_is_nine_statements_at_most(family, private, statements):
    with statements() as told:
        tree(private, "metrics.acc > 0.5", opened=(family["search"],), pinned=(family["alone"],))
    assert len(told) <= 9, told


def test_what_is_opened_shows_its_children(family, private):
    opened = (family["search"], family["fold-1"], "nothing")
    assert tree(private, opened=opened)[2:6] == [
        ("search", 0, 2, False), ("fold-0", 1, 0, False), ("fold-1", 1, 1, False), ("inner", 2, 0, False)
    ]  # fmt: skip


def test_a_filter_keeps_the_parents_of_what_passes(family, private):
    opened = (family["search"], family["fold-1"])
    assert tree(private, "metrics.acc > 0.5", opened=opened) == [
        ("search", 0, 1, True), ("fold-1", 1, 1, True), ("inner", 2, 0, False)
    ]  # fmt: skip
    assert tree(private, "name = 'fold-0'") == [("search", 0, 1, True)]


def test_rings_of_runs_end(client, family, private):
    client.batch(family["search"], tags=[{"key": "mlflow.parentRunId", "value": family["inner"]}])
    assert [row[0] for row in tree(private, opened=tuple(family.values()))] == ["alone", "lost", "self"]
    assert [row[0] for row in tree(private, "metrics.acc > 0.5")] == []
    flat = listing.page(query(private, "metrics.acc > 0.5"))
    assert [row.name for row in flat.rows] == ["inner"]


def test_the_page_opens_and_closes_and_can_be_flat(family, pages):
    page = pages.get(BASE).content.decode()
    assert "fold-1" not in page
    href = unescape(re.search(r'class="nest" href="([^"]+)" aria-expanded="false"', page).group(1))
    opened = pages.get(BASE + href.partition("#")[0]).content.decode()
    assert 'class="depth-1"' in opened
    assert 'aria-label="Hide 2 inside search"' in opened
    flat = pages.get(f"{BASE}?flat=1").content.decode()
    assert "inner" in flat
    assert "aria-expanded" not in flat


def test_a_tree_of_another_repository_is_not_touched(family, client_of, public, alice, private):
    theirs = client_of(public, alice)
    theirs.run(run_name="theirs", tags=[{"key": "mlflow.parentRunId", "value": family["alone"]}])
    assert ("alone", 0, 0, False) in tree(private, opened=(family["alone"],))
    assert tree(public) == [("theirs", 0, 0, False)]
