"""Every page in a real browser: accessible in both schemes, quiet, within the width of a phone, light on the wire."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.support import axe, console
from tests.support.hub import Hub
from tests.support.services import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
BUDGET = 100 * 1024  # bytes as sent, without charts and the description of the API
CHARTS = {"run", "comparison", "statistics", "plots diff"}
HEAVY = {*CHARTS, "api docs"}
MAY_DRAW = {"pull request's experiments"}  # has charts below, whose library comes when they are near the window

STRANGER = {
    "welcome": "/",
    "sign in": "/account/login",
    "sign up": "/account/signup",
    "forgotten password": "/account/password/forgotten",
    "public repository": "/demo/bird-counter",
    "not found": "/alice/lab",
}
DEMO = {
    "files home": "",
    "folder": "/tree/main/data",
    "dvc folder": "/tree/main/data/images",
    "python": "/blob/main/src/train.py",
    "markdown": "/blob/main/README.md",
    "csv": "/blob/main/data/observations.csv",
    "image": "/blob/main/docs/covey.png",
    "notebook": "/blob/main/notebooks/explore.ipynb",
    "json": "/blob/main/metrics.json",
    "blame": "/blame/main/src/train.py",
    "commits": "/commits/main",
    "compare": "/compare/main...clean-labels",
    "compare split": "/compare/main...clean-labels?view=split",
    "branches": "/branches",
    "tags": "/tags",
    "finder": "/find/main",
    "data": "/data",
    "data diff": "/datasets/diff/main...clean-labels",
    "table diff": "/datasets/diff/main...clean-labels/data/observations.csv",
    "statistics": "/datasets/drift/main...clean-labels/data/observations.csv",
    "pipelines": "/pipelines/clean-labels",
    "pipelines diff": "/pipelines/diff/main...clean-labels",
    "plots diff": "/datasets/plots/main...clean-labels",
    "lineage": "/lineage/commit/main",
    "dataset history": "/datasets/history/main/data/observations.csv",
    "issues": "/issues",
    "search of issues that cannot be read": "/issues?q=is%3Aopen+lable%3Abug",
    "issue": "/issues/1",
    "labels": "/labels",
    "milestones": "/milestones",
    "pull requests": "/pulls",
    "pull request": "/pull/6",
    "pull request's commits": "/pull/6/commits",
    "pull request's files": "/pull/6/files",
    "pull request's data": "/pull/6/data",
    "pull request's experiments": "/pull/6/experiments",
    "pull request's notebooks": "/pull/6/notebooks",
    "pull request's versions": "/pull/6/range",
    "pull request's pipelines": "/pull/6/pipelines",
    "experiments": "/experiments",
    "filtered runs": "/experiments?q=metrics.val_acc+%3E+0.5+and+status+%21%3D+failed&sort=-metrics.val_acc",
    "charts of runs": "/experiments/charts?q=status+%21%3D+failed",
    "filter that cannot be read": "/experiments?q=accuracy+%3E+0.5",
    "groups of runs": "/experiments?group=params.optimizer,params.lr&columns=metrics.val_acc,metrics.val_loss",
    "comparison": "COMPARE",
    "rows of a table": "/datasets/table/main/data/observations.csv",
    "rows filtered": "/datasets/table/main/data/observations.csv?filter=count:gt:5&sort=-count&column=species",
    "comment on an image": "/datasets/image/main/data/images/quail/002.png",
    "what is said about a table": "/issues/threads?kind=row&path=data%2Fobservations.csv",
    "attach files": "/attachments",
    "images of a folder": "/datasets/images/main/data/images",
    "run": "RUN",
    "models": "/models",
    "model": "/models/bird-counter",
    "model version": "/models/bird-counter/versions/2",
    "versions compared": "/models/bird-counter/compare?version=1&version=2",
    "experiments managed": "/experiments/manage",
    "experiments deleted": "/experiments/manage/deleted",
    "forbidden": "/settings",
    "missing file": "/blob/main/nothing.txt",
}
KINDS = {  # diffs of every kind of file
    "folder diff": "",
    "image diff": "/picture.png",
    "image swipe": "/picture.png?view=swipe",
    "sound diff": "/bell.wav",
    "values diff": "/params.yaml",
    "notebook diff": "/explore.ipynb",
    "lines diff": "/notes.txt?view=split",
    "bytes diff": "/model.bin",
}
OWN = {
    **{name: f"/alice/kinds/datasets/diff/v1...main{path}" for name, path in KINDS.items()},
    "home": "/",
    "explore": "/explore",
    "explore finds nothing": "/explore?q=zzzz",
    "starred": "/starred",
    "profile": "/alice",
    "new repository": "/new",
    "empty repository": "/alice/empty",
    "no data": "/alice/empty/data",
    "no pipelines": "/alice/empty/pipelines",
    "no issues": "/alice/empty/issues",
    "no pull requests": "/alice/empty/pulls",
    "no labels": "/alice/empty/labels",
    "no milestones": "/alice/empty/milestones",
    "new issue": "/alice/empty/issues/new",
    "new milestone": "/alice/empty/milestones/new",
    "no runs": "/alice/empty/experiments",
    "no models": "/alice/empty/models",
    "no experiments": "/alice/empty/experiments/manage",
    "writable files": "/alice/lab",
    "data never pushed": "/alice/lab/blob/main/data/observations.csv",
    "rows never pushed": "/alice/lab/datasets/table/main/data/observations.csv",
    "commit": "/alice/lab/commit/main",
    "new file": "/alice/lab/new/main",
    "edit": "/alice/lab/edit/main/src/train.py",
    "upload": "/alice/lab/upload/main",
    "delete": "/alice/lab/delete/main/src/train.py",
    "repository settings": "/alice/lab/settings",
    "collaborators": "/alice/lab/settings/collaborators",
    "keys of tables": "/alice/lab/settings/data",
    "danger": "/alice/lab/settings/danger",
    "branch rules": "/alice/lab/settings/branches",
    "ways to merge": "/alice/lab/settings/pull-requests",
    "storage": "/alice/lab/settings/storage",
    "garbage": "/alice/lab/settings/storage/garbage",
    "transfers": "/transfers",
    "own profile": "/settings/profile",
    "e-mail": "/settings/email",
    "password": "/settings/password",
    "second factor": "/settings/security",
    "authenticator": "/settings/security/totp/activate",
    "tokens": "/settings/tokens",
    "security log": "/settings/log",
    "people": "/settings/people",
    "person": "/settings/people/1",
    "sign out": "/account/logout",
    "api docs": "/api/docs",
}
SIGNED_IN = {
    **{name: f"/demo/bird-counter{path}" for name, path in DEMO.items() if path not in {"RUN", "COMPARE"}},
    **OWN,
    "run": "RUN",
    "comparison": "COMPARE",
}
FAILING = {"not found": 404, "missing file": 404, "forbidden": 403, "filter that cannot be read": 400}
FAILING["search of issues that cannot be read"] = 422
MADE_FIRST = {
    "data diff",
    "table diff",
    "statistics",
    "pipelines",
    "pipelines diff",
    "plots diff",
    "dataset history",
    "folder diff",
    "image diff",
    "image swipe",
    "sound diff",
}  # by a job: the walk looks at the answer


@pytest.fixture(scope="module", autouse=True)
def repositories(
    hub: Hub, demo: str, people: dict[str, str], git: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """alice/empty, alice/lab with the demo's git but none of its data, alice/kinds with two versions of every kind."""
    for name in ("empty", "lab", "kinds"):
        body = json.dumps({"name": name, "private": True}).encode()
        headers = {"Authorization": f"Bearer {people['alice']}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{hub.url}/api/v1/user/repos", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 201
    clone = tmp_path_factory.mktemp("lab")
    git("clone", "-q", f"{hub.url}{demo}", ".", cwd=clone)
    address = hub.url.replace("//", f"//alice:{people['alice']}@")
    git("push", "-q", f"{address}/alice/lab", "main", cwd=clone)
    kinds = tmp_path_factory.mktemp("kinds")
    git("init", "-q", "-b", "main", cwd=kinds)
    for number in (1, 2):
        for name, data in every_kind(number).items():
            (kinds / name).write_bytes(data)
        git("add", "-A", cwd=kinds)
        git("commit", "-q", "-m", f"Version {number}", cwd=kinds)
        git("tag", f"v{number}", cwd=kinds)
    git("push", "-q", f"{address}/alice/kinds", "main", "v1", cwd=kinds)


def every_kind(number: int) -> dict[str, bytes]:
    """A file of each kind that is compared in its own way; another for each number."""
    picture, sound = io.BytesIO(), io.BytesIO()
    Image.new("RGBA", (120, 80), (40 * number, 90, 160, 200)).save(picture, "PNG")
    soundfile.write(sound, numpy.sin(numpy.arange(4000 * number) / 9), 8000, format="WAV")
    cell = {"cell_type": "code", "source": f"x = {number}\nx", "metadata": {}, "execution_count": number}
    output = {"output_type": "stream", "name": "stdout", "text": str(number)}
    book = {"nbformat": 4, "metadata": {}, "cells": [{**cell, "outputs": [output]}]}
    return {
        "picture.png": picture.getvalue(),
        "bell.wav": sound.getvalue(),
        "params.yaml": f"lr: 0.{number}\nlayers: [1, {number}]\n".encode(),
        "explore.ipynb": json.dumps(book).encode(),
        "notes.txt": f"one\ntwo {number}\n".encode(),
        "model.bin": bytes([0, number] * 100),
    }


@pytest.fixture(scope="module")
def tabs(browser: Browser, sessions: Callable[[str], StorageState]) -> Iterator[dict[bool, BrowserContext]]:
    """One browser context signed in as alice, one of a stranger."""
    contexts = {True: browser.new_context(storage_state=sessions("alice")), False: browser.new_context()}
    yield contexts
    for context in contexts.values():
        context.close()


class Visit:
    """One page loaded cold: what the console said, how many bytes came, and how many of them for charts."""

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.bytes = self.plotly = 0
        addresses: dict[str, str] = {}
        console.listen(self.page)
        wire = context.new_cdp_session(self.page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})

        def count(done: dict[str, Any]) -> None:
            self.bytes += done["encodedDataLength"]
            if "plotly" in addresses.get(done["requestId"], ""):
                self.plotly += done["encodedDataLength"]

        wire.on("Network.requestWillBeSent", lambda sent: addresses.update({sent["requestId"]: sent["request"]["url"]}))
        wire.on("Network.loadingFinished", count)

    def menus_off_screen(self) -> list[str]:
        """What the summaries say of menus whose open body leaves the window to a side."""
        return list(
            self.page.evaluate("""() => [...document.querySelectorAll("details.menu")].filter(menu => {
                menu.open = true;
                const body = menu.querySelector(".menu-body").getBoundingClientRect();
                menu.open = false;
                return body.left < 0 || body.right > document.documentElement.clientWidth;
            }).map(menu => menu.querySelector("summary").textContent.trim())""")
        )

    def too_wide(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def first_run(page: Page, hub: Hub) -> str:
    page.goto(f"{hub.url}/demo/bird-counter/experiments")
    return str(page.locator("table.runs tbody a").first.get_attribute("href"))


def comparison(page: Page, hub: Hub) -> str:
    """Three runs, the first as the baseline."""
    base = "/demo/bird-counter/experiments"
    page.goto(f"{hub.url}{base}")
    ids = page.locator("table.runs tbody input[name=run]").evaluate_all("boxes => boxes.map(box => box.value)")[:3]
    return f"{base}/compare?{'&'.join(f'run={one}' for one in ids)}&baseline={ids[0]}"


def make(context: BrowserContext, address: str) -> None:
    """Wait until the answer behind an address is made."""

    def ended() -> bool:
        answer = context.request.get(f"{address}{'&' if '?' in address else '?'}format=json")
        return answer.status != 202 and not answer.json().get("counting")

    wait_until(ended, what=address, seconds=60)


@pytest.mark.parametrize(
    ("name", "signed_in"),
    [(name, False) for name in STRANGER] + [(name, True) for name in SIGNED_IN],
)
def test_page_is_sound(name: str, signed_in: bool, hub: Hub, tabs: dict[bool, BrowserContext]) -> None:
    path = (SIGNED_IN if signed_in else STRANGER)[name]
    visit = Visit(tabs[signed_in])
    page = visit.page
    try:
        if path == "RUN":
            path = first_run(page, hub)
        if path == "COMPARE":
            path = comparison(page, hub)
        if name in MADE_FIRST:
            make(tabs[signed_in], f"{hub.url}{path}")
        answer = page.goto(f"{hub.url}{path}", wait_until="load")
        assert answer is not None
        assert answer.status == FAILING.get(name, 200)
        if name in CHARTS:
            page.locator(".chart").first.scroll_into_view_if_needed()
            page.locator(".chart[data-drawn]").first.wait_for(timeout=30_000)
        if name == "charts of runs":
            page.locator("[data-parallel][data-drawn] .chart-rows").wait_for(timeout=30_000)
        if name == "api docs":
            page.locator(".opblock").first.wait_for(timeout=30_000)
        else:
            assert axe.violations(page) == []
        assert visit.too_wide() <= 0
        ordinary = visit.bytes - (visit.plotly if name in MAY_DRAW else 0)
        assert name in HEAVY or ordinary <= BUDGET, f"{ordinary:,} of {visit.bytes:,} bytes"
        page.set_viewport_size({"width": 390, "height": 800})
        page.emulate_media(color_scheme="dark")
        assert visit.menus_off_screen() == []
        if name != "api docs":  # Swagger UI's own markup
            assert axe.violations(page) == []
        assert visit.too_wide() <= 0
        assert [told for told in console.problems(page) if not (name in FAILING and str(answer.status) in told)] == []
    finally:
        page.close()


def test_the_description_of_the_api_is_dark_in_the_dark(hub: Hub, tabs: dict[bool, BrowserContext]) -> None:
    """Swagger UI's own dark colours on our ground; every element that covers much of the page is dark."""
    page = tabs[True].new_page()
    try:
        page.emulate_media(color_scheme="dark")
        page.goto(f"{hub.url}/api/docs")
        page.locator(".opblock-summary").first.click(timeout=30_000)
        page.locator(".opblock-body").first.wait_for()
        bright = """() => [document.documentElement, document.body, ...document.querySelectorAll("#api-docs *")]
            .filter(e => e.offsetWidth > 300 && e.offsetHeight > 60)
            .map(e => getComputedStyle(e).backgroundColor.match(/[\\d.]+/g).map(Number))
            .filter(([r, g, b, a = 1]) => a > 0.5 && r + g + b > 300)"""
        assert page.evaluate(bright) == []
        page.emulate_media(color_scheme="light")
        # The page hears of it in an event of its own, and its policy refuses a function to wait for.
        expect(page.locator("html")).not_to_have_class(re.compile("dark-mode"), timeout=10_000)
    finally:
        page.close()


def test_modules_are_imported_by_hashed_names(hub: Hub, tabs: dict[bool, BrowserContext]) -> None:
    """A cached module of an older release must not meet a newer one."""
    page = tabs[True].new_page()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if request.resource_type == "script" else None)
    page.goto(f"{hub.url}/demo/bird-counter", wait_until="networkidle")
    modules = [url.rsplit("/", 1)[1] for url in loaded if "/static/js/" in url]
    assert len(modules) > 2
    assert [name for name in modules if len(name.split(".")) != 3] == []
    page.close()
