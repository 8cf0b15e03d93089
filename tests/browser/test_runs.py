"""Filter, choose runs, compare them with a baseline: by keyboard and mouse, and by the address another person opens."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support import console
from tests.support.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
RUNS = "/demo/bird-counter/experiments"


def test_from_a_filter_to_a_comparison_somebody_else_opens(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(RUNS)
    field = page.get_by_label("Filter runs")
    field.press_sequentially("metrics.val_a")
    expect(page.get_by_role("option", name="metrics.val_acc")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    field.press_sequentially("> 0.85 and status = finished")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("val_acc"))
    expect(page.locator("table.runs tbody tr").first).to_be_visible()
    page.locator("html[data-enhanced]").wait_for()  # a click before that opens the other order as a page
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="val_acc").click()
    descending = page.locator("th[aria-sort=descending]", has_text="val_acc")
    expect(descending.get_by_role("link")).to_be_focused()
    page.go_back()
    expect(descending).to_have_count(0)
    page.go_forward()
    expect(descending).to_be_visible()
    assert page.evaluate("window.stays"), "another order comes without another page"
    expect(page.locator("th .column-edge").first).to_be_attached()
    column = descending.evaluate("cell => cell.cellIndex + 1")
    cells = page.locator(f"table.runs tbody tr td:nth-child({column})")
    accuracies = [float(text) for text in cells.all_inner_texts()]
    assert accuracies == sorted(accuracies, reverse=True)
    assert min(accuracies) > 0.85
    for box in page.locator("table.runs tbody input[name=run]").all()[:3]:
        box.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare 3 runs")).to_be_visible()
    page.get_by_role("link", name="Baseline").first.click()
    expect(page.locator(".delta").first).to_be_visible()
    page.locator("[data-chart]").first.scroll_into_view_if_needed()
    expect(page.locator("[data-chart][data-drawn] .scatterlayer .trace").nth(2)).to_be_attached(timeout=30_000)
    assert console.problems(page) == []
    stranger = open_page(page.url.partition("/demo")[1] + page.url.partition("/demo")[2], signed_in=False)
    assert stranger.locator(".compare-table").first.inner_text() == page.locator(".compare-table").first.inner_text()


def test_names_that_come_late_take_away_nothing_that_was_chosen(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(RUNS)
    field, held = page.get_by_label("Filter runs"), list[Route]()
    field.press_sequentially("metrics.val_")
    option = page.get_by_role("option", name="metrics.val_acc")
    expect(option).to_be_visible()
    page.route("**/experiments/names?*", lambda route: held.append(route))
    with page.expect_request("**/experiments/names?*"):
        field.press_sequentially("a")
    page.keyboard.press("ArrowDown")
    with page.expect_response("**/experiments/names?*"):
        held[0].continue_()
    page.wait_for_function("new Promise((told) => setTimeout(told, 50, true))")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(field).to_have_value("metrics.val_acc ")
    assert page.url.endswith(RUNS), "the filter was not sent unfinished"


def test_a_brushed_axis_filters_the_table_and_the_address(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{RUNS}?q=status+%3D+finished&columns=params.lr,params.optimizer,metrics.val_acc")
    page.get_by_role("button", name="Chart these runs").click()
    canvas = page.locator("[data-parallel][data-drawn] canvas")
    canvas.wait_for(timeout=30_000)
    box = canvas.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] - 64  # the last axis
    page.mouse.move(x, box["y"] + 20)
    page.mouse.move(x, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 100, steps=3)
    page.mouse.up()
    told = page.locator("[data-parallel] > summary [data-told]")
    expect(told).to_have_text(re.compile(r"^\d+ of \d+ runs$"))
    passed = told.inner_text().partition(" ")[0]
    expect(page.locator("[data-parallel-rows] > p")).to_have_text(re.compile(rf"^\s*{passed} run"))
    assert "status+%3D+finished+and+metrics.val_acc+%3E%3D" in page.url
    expect(page.locator("#q")).to_have_value(re.compile(r"^status = finished and metrics\.val_acc >= "))
    page.locator("summary", has_text="Axes and ranges as a list").click()
    page.get_by_label("sgd", exact=True).uncheck()  # the same by keyboard or by finger
    expect(page.locator("#q")).to_have_value(re.compile(r'params\.optimizer in \("adam", "lion"\)'))
    expect(page.locator("[data-parallel-rows] td", has_text="sgd")).to_have_count(0)
    for row in page.locator("[data-parallel-rows] tbody input").all()[:2]:
        row.check()
    stranger = open_page(page.url[page.url.index("/demo") :], signed_in=False)
    expect(stranger.locator("[data-parallel] > summary [data-told]")).to_have_text(told.inner_text(), timeout=30_000)
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    page.get_by_label("Group").fill("params.optimizer")
    page.get_by_label("Group").press("Tab")
    page.locator("[data-chart]").first.scroll_into_view_if_needed()
    expect(page.locator("[data-chart-legend]").first).to_contain_text("mean ± std", timeout=30_000)
    assert "group=params.optimizer" in page.url
    assert console.problems(page) == []


def test_what_was_set_before_the_module_came_is_drawn(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(RUNS)
    held: list[Route] = []
    page.route(re.compile(r"/curves\.[^/]*js"), lambda route: held.append(route))
    for box in page.locator("table.runs tbody input[name=run]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    page.get_by_label("Group").fill("params.optimizer")
    page.get_by_label("Log y").check()
    page.get_by_label("Smoothing").focus()
    assert "group" not in page.url
    while not held:
        page.wait_for_timeout(50)
    page.unroute_all()  # lets what is held go on
    console.enhanced(page)
    page.locator("[data-chart]").first.scroll_into_view_if_needed()
    expect(page.locator("[data-chart-legend]").first).to_contain_text("mean ± std", timeout=30_000)
    assert {"group=params.optimizer", "log=1"} <= set(page.url.partition("?")[2].split("&"))
    assert console.problems(page) == []


def test_columns_are_found_by_name_and_kept_in_the_address(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{RUNS}?columns=metrics.mae")
    console.enhanced(page)
    page.locator("summary", has_text="Columns").click()
    chosen = page.get_by_role("list", name="Chosen columns")
    for typed, name in (("team", "tags.team"), ("seed", "params.seed")):
        page.get_by_label("Find a metric, param or tag").fill(typed)
        page.get_by_role("group", name="Other columns").get_by_label(name, exact=True).click()
        expect(chosen.get_by_label(name, exact=True)).to_be_checked()
    page.get_by_role("button", name="Show columns").click()
    for name in ("team", "seed"):
        expect(page.locator("table.runs thead th", has_text=name)).to_be_visible()
    assert "tags.team" in page.url
    assert console.problems(page) == []


def test_a_filter_that_cannot_be_read_is_marked(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(RUNS)
    page.get_by_label("Filter runs").fill("metrics.val_acc > high")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("At character 19")
    expect(page.locator(".filter-error mark")).to_have_text("h")
    expect(page.get_by_label("Filter runs")).to_have_value("metrics.val_acc > high")


def test_runs_arrive_while_one_looks_and_what_one_did_is_undone(
    hub: Hub, people: dict[str, str], open_page: Callable[..., Page]
) -> None:
    hub.repository(people["alice"], "live")
    api = httpx.Client(base_url=f"{hub.url}/alice/live.mlflow/api/2.0/mlflow/", auth=("alice", people["alice"]))

    def log(name: str) -> None:
        body = {"experiment_id": "0", "run_name": name, "start_time": 1}
        api.post("runs/create", json=body, timeout=120).raise_for_status()

    log("first")
    page = open_page("/alice/live/experiments")
    names = page.locator("table.runs tbody th")
    expect(names).to_have_text(["first"])
    page.locator("[data-live][data-following]").wait_for()
    log("second")
    expect(names).to_have_count(2, timeout=60_000)
    page.get_by_label("Choose first").check()
    page.locator("summary", has_text="Change").click()
    page.get_by_role("button", name="Archive").click()
    expect(names).to_have_text(["second"])
    expect(page.get_by_role("status").filter(has_text="1 run archived.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(names).to_have_count(2)
    assert console.problems(page) == []


def test_columns_are_dragged_to_their_place_and_their_edges_to_their_width(
    demo: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{RUNS}?q=&columns=params.lr,params.optimizer,metrics.val_acc")

    def head(name: str) -> Locator:
        return page.locator("table.runs th[draggable=true]", has_text=name)

    head("val_acc").drag_to(head("lr"), target_position={"x": 4, "y": 10})
    order = re.compile(r"metrics.val_acc%2Cparams.lr%2Cparams.optimizer")
    expect(page).to_have_url(order)
    expect(page.locator("table.runs th .column-edge").first).to_be_attached()
    before, edge = head("lr").bounding_box(), head("lr").locator(".column-edge").bounding_box()
    assert before
    assert edge
    x, y = edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=6)
    page.mouse.up()
    expect(page).to_have_url(re.compile("width=[0-9]+%3Aparams.lr"))
    expect(page).to_have_url(order)
    after = head("lr").bounding_box()
    assert after
    assert abs(after["width"] - before["width"] - 120) < 20
    assert console.problems(page) == []


def test_curves_on_paper_and_as_pictures_tell_all(demo: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{RUNS}?q=metrics.val_loss+>+0&flat=1")
    boxes = page.locator("table.runs tbody input[name=run]")
    names = [box.get_attribute("aria-label") or "" for box in boxes.all()[:2]]
    for box in boxes.all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare").click()
    chart = page.locator("[data-chart]").first
    chart.scroll_into_view_if_needed()
    expect(page.locator("[data-chart][data-drawn] .scatterlayer .trace").nth(1)).to_be_attached(timeout=30_000)
    with page.expect_download() as saved:
        chart.get_by_role("button", name="SVG").click()
    picture = saved.value.path().read_text()
    for told in (chart.locator("figcaption").inner_text().split("\n")[0], *(n.removeprefix("Choose ") for n in names)):
        assert told in picture
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # as a browser says it before it prints
    drawing, paper = chart.locator(".main-svg").first.bounding_box(), chart.bounding_box()
    assert drawing
    assert paper
    assert drawing["x"] + drawing["width"] <= paper["x"] + paper["width"]
    scale = "svg => svg.getScreenCTM().a * svg.getAttribute('width')"
    assert chart.locator(".main-svg").first.evaluate(scale) <= drawing["width"] + 1
    assert console.problems(page) == []
