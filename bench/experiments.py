"""The table of runs, charts and curves against MLflow's own: `python -m bench.experiments [--database postgres]`.

The same runs (bench.runs_data: 20 metrics and 20 params each, and 20 curves of 100,000 points) are put into the hub's
tables and into those of a plain `mlflow server` on a database of the same kind. Compared are, in turns, medians:
pages and JSON of the hub over HTTP, signed in, as a browser reads them (compressed), with `MlflowClient.search_runs` of
the same runs, with its answer as JSON that nobody turns into objects, and with the calls of MLflow's store in this
process (which pays neither HTTP nor JSON). MLflow's histories of 20 curves are read for two curves only, times ten. In
Chromium: from an empty cache to the first run of the sorted, filtered table, on both sides, alternating; then parallel
coordinates of all runs over six columns, without a GPU, from the address to the drawing: once with an empty cache, and
by whoever uses the hub. --only table is what 100,000 runs need.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from bench.browser import Browser
from bench.mlflow import anonymous_bytes, end, make_hub, plain_server
from bench.pages import visit
from bench.runs_data import COLUMNS, EXPERIMENT, fill
from tests.support import services
from tests.support.hub import Hub

CURVES, POINTS, READ = 20, 100_000, 2
REST_MS = 1000  # before a cold visit: the end of the one before, on the other side, still takes the processor
FILTER = "metrics.m2 > 10 and params.p3 != '7' and attributes.status = 'RUNNING'"  # both sides read it
SORT = "metrics.m1"
missed: list[str] = []


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    options.add_argument("--runs", type=int, default=5000)
    options.add_argument("--calls", type=int, default=15)
    options.add_argument("--only", choices=["table", "charts", "curves", "chromium"], nargs="+")
    chosen = options.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed server has its code compiled
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that both servers are ended
    home = Path(tempfile.mkdtemp(prefix="covey-bench-experiments-"))
    home.chmod(0o755)  # PostgreSQL runs as another person
    server: subprocess.Popen[bytes] | None = None
    hub: Hub | None = None
    try:
        hub, address = make_hub(home, chosen.database)
        hub.start()
        server, url = plain_server(home / "plain", address)
        run(hub, url, address, chosen)
    finally:
        if hub:
            hub.stop()
        if server:
            end(server)
        services.stop_all()
        shutil.rmtree(home, ignore_errors=True)
    return bool(missed)


def run(hub: Hub, url: str, address: str, chosen: argparse.Namespace) -> None:
    parts = chosen.only or ["table", "charts", "curves", "chromium"]
    token = hub.user("bench")
    hub.repository(token, "lab")
    headers = {"Authorization": f"Bearer {token}"}
    number = httpx.get(f"{hub.url}/api/v1/repos/bench/lab", headers=headers, timeout=60).json()["id"]
    httpx.get(
        f"{hub.url}/bench/lab.mlflow/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers, timeout=120
    )
    curves = (CURVES, POINTS) if "curves" in parts else (0, 1)
    for database, workspace in ((own_address(hub), f"r{number}"), (address, "default")):
        started = time.monotonic()
        fill(database, workspace, chosen.runs, curves=curves[0], points=curves[1])
        print(f"{chosen.runs} runs put into {chosen.database} in {time.monotonic() - started:.0f} s", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    browser = Browser(hub)
    if "table" in parts:
        table(browser, url, chosen)
    if "charts" in parts:
        charts(browser, address, chosen)
    if "curves" in parts:
        draw(hub, browser, address)
    if "chromium" in parts:
        chromium(hub, browser, url)


def own_address(hub: Hub) -> str:
    """MLflow's tables of the hub."""
    database = hub.environment.get("DATABASE_URL", "")
    if not database:
        return f"sqlite:///{hub.home}/mlflow.sqlite3"
    return database.replace("postgres://", "postgresql+psycopg://", 1) + "?options=-csearch_path%3Dmlflow"


# ---- what is measured ----------------------------------------------------------------------------
def table(browser: Browser, url: str, chosen: argparse.Namespace) -> None:
    from mlflow import MlflowClient

    client, library = httpx.Client(base_url=url, timeout=300), MlflowClient(url)
    limit = 150 if chosen.runs <= 5000 else 300
    for name, filter_ in (("ordered", ""), ("filtered and ordered", FILTER)):
        wanted = {
            "experiment_ids": [str(EXPERIMENT)],
            "max_results": 100,
            "order_by": [f"{SORT} DESC"],
            "filter": filter_,
        }

        def theirs(wanted: dict[str, Any] = wanted) -> None:
            answer = client.post("/api/2.0/mlflow/runs/search", json=wanted).raise_for_status()
            assert len(answer.json()["runs"]) == min(100, chosen.runs // 10)

        def as_objects(filter_: str = filter_) -> None:
            found = library.search_runs([str(EXPERIMENT)], filter_, max_results=100, order_by=[f"{SORT} DESC"])
            assert len(found) == min(100, chosen.runs // 10)

        path = table_path(filter_)
        assert browser.plain(path).count(b"experiments/runs/") >= min(100, chosen.runs // 10)

        def mine(path: str = path) -> None:
            assert gzip.decompress(browser.get(path)).endswith(b"</html>\n")

        own, _ = compare(f"table {name} / MlflowClient", 0.1, chosen.calls, mine, as_objects)
        compare(f"table {name} / its JSON alone", 0.1, chosen.calls, mine, theirs)
        tell(f"table {name}", own, limit, "ms")


def charts(browser: Browser, address: str, chosen: argparse.Namespace) -> None:
    """5 columns of all runs: the chart's JSON against the store's runs."""
    columns = ["metrics.m1", "metrics.m2", "params.p1", "params.p2", "params.p12"]
    path = (
        f"/bench/lab/experiments/compare/values.json?{urlencode({'columns': ','.join(columns), 'q': 'duration >= 0'})}"
    )
    store, kind = their_store(address)

    def theirs() -> None:
        assert len(store.search_runs([str(EXPERIMENT)], "", kind.ACTIVE_ONLY, max_results=chosen.runs)) == chosen.runs

    compare("values of 5 columns / store", 1 / 50, 3, lambda: browser.get(path), theirs)


def draw(hub: Hub, browser: Browser, address: str) -> None:
    """CURVES curves of POINTS points to buckets, against the store's histories of READ of them."""
    ids = long_runs(address)
    path = "/bench/lab/experiments/compare/curves.json?" + urlencode([("run", one) for one in ids] + [("key", "long")])
    store, _ = their_store(address)

    def theirs() -> None:
        for run_id in ids[:READ]:
            assert len(store.get_metric_history(run_id, "long")) == POINTS

    before = anonymous_bytes(hub.processes[0].pid)
    compare("20 curves / store", 1 / 30, 3, lambda: browser.get(path), theirs, times=CURVES / READ)
    tell("memory of the web process", (anonymous_bytes(hub.processes[0].pid) - before) / 1024**2, 50, "MB more")


def chromium(hub: Hub, session: Browser, url: str) -> None:
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    order = urlencode(
        {"orderByKey": f"metrics.`{SORT.partition('.')[2]}`", "orderByAsc": "false", "searchFilter": FILTER}
    )
    theirs = f"{url}/#/experiments/{EXPERIMENT}/runs?{order}"
    mine = f"{hub.url}{table_path(FILTER)}"
    ids = [one.partition('"')[0] for one in session.plain(table_path(FILTER)).decode().split("experiments/runs/")[1:]]
    first = next(one for one in ids if len(one) == 32)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        cookies = [{"name": k, "value": v, "url": hub.url} for k, v in session.cookies.items()]
        shown: dict[str, list[float]] = {"hub": [], "plain": []}
        for _ in range(5):
            for side, address in (("hub", mine), ("plain", theirs)):
                context = browser.new_context()
                context.add_cookies(cookies)
                page = context.new_page()
                page.wait_for_timeout(REST_MS)
                started = time.perf_counter()
                page.goto(address, wait_until="commit")
                page.locator(f"a[href*='{first}']").first.wait_for(timeout=120_000)
                shown[side].append((time.perf_counter() - started) * 1000)
                context.close()
        own, other = statistics.median(shown["hub"]), statistics.median(shown["plain"])
        tell("cold table in Chromium", own, 600, "ms")
        tell("cold table / MLflow's UI", own / other, 0.33, f"(MLflow's: {other:.0f} ms)")
        tell("bytes of the table", sum(visit(browser, hub, session, table_path(FILTER)).values()) / 1024, 100, "KB")
        context = browser.new_context()
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(mine)
        swaps = []
        for _ in range(6):
            header = page.locator("thead th[aria-sort] a").first
            was = page.url
            started = time.perf_counter()
            header.click()
            page.wait_for_function("was => location.href !== was && document.querySelector('tbody tr')", arg=was)
            swaps.append((time.perf_counter() - started) * 1000)
            page.wait_for_timeout(500)  # somebody looks at it, and the rows below the screen are laid out
        tell("another order in Chromium", statistics.median(swaps), 300, "ms")
        context.close()
        parallel(browser, hub, cookies)
        if runs := long_runs(own_address(hub)):
            compared = f"{hub.url}/bench/lab/experiments/compare?{urlencode([('run', one) for one in runs])}"
            tell(f"second visit of {len(runs)} runs compared", second_visit(browser, cookies, compared), 60, "KB")
        browser.close()


def parallel(browser: Any, hub: Hub, cookies: list[Any]) -> None:
    """Until the drawing says that it is there, and the next frame after it."""
    columns = ["params.p1", "params.p2", "params.p12", "metrics.m1", "metrics.m2", "metrics.m3"]
    path = f"/bench/lab/experiments/charts?{urlencode({'columns': ','.join(columns), 'q': 'duration >= 0'})}"
    context = browser.new_context()
    context.add_cookies(cookies)
    page, drawn = context.new_page(), []
    for _ in range(6):
        page.goto("about:blank")
        started = time.perf_counter()
        page.goto(f"{hub.url}{path}", wait_until="commit")
        page.locator("[data-parallel][data-drawn]").wait_for(timeout=60_000)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        drawn.append((time.perf_counter() - started) * 1000)
    told = page.locator("[data-parallel] > summary [data-told]").inner_text()
    tell("parallel coordinates, cold", drawn[0], 1500, f"ms ({told})")
    tell("parallel coordinates", statistics.median(drawn[1:]), 1500, "ms")
    context.close()


def second_visit(browser: Any, cookies: list[Any], address: str) -> float:
    """KB on the wire, with the curves drawn."""
    context = browser.new_context()
    context.add_cookies(cookies)
    page = context.new_page()
    wire, sizes = context.new_cdp_session(page), []
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda told: sizes.append(int(told["encodedDataLength"])))
    for _ in range(2):
        page.goto("about:blank")
        sizes.clear()
        page.goto(address)
        page.locator("[data-chart]").first.scroll_into_view_if_needed(timeout=60_000)
        page.locator("[data-chart][data-drawn]").first.wait_for(timeout=60_000)
        page.wait_for_load_state("networkidle")
    context.close()
    return sum(sizes) / 1024


# ---- both sides ----------------------------------------------------------------------------------
def table_path(filter_: str) -> str:
    asked = {"sort": f"-{SORT}", "columns": ",".join(COLUMNS), **({"q": filter_} if filter_ else {})}
    return f"/bench/lab/experiments?{urlencode(asked, quote_via=quote)}"


def their_store(address: str) -> tuple[Any, Any]:
    from mlflow.entities import ViewType
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    return SqlAlchemyStore(address, "/tmp"), ViewType  # where artifacts would go; none do


def long_runs(address: str) -> list[str]:
    from sqlalchemy import create_engine, text

    with create_engine(address).connect() as link:
        return [row[0] for row in link.execute(text("SELECT run_uuid FROM metrics WHERE key = 'long' AND step = 0"))]


def compare(
    name: str, target: float, calls: int, hub: Callable[[], object], plain: Callable[[], object], *, times: float = 1
) -> tuple[float, float]:
    """Medians (ms) of alternating calls, and their ratio. times: how much more the peer would have to do."""
    taken: dict[str, list[float]] = {"hub": [], "plain": []}
    for number in range(calls + 1):
        for side, call in (("hub", hub), ("plain", plain)):
            started = time.perf_counter()
            call()
            if number:  # the first calls fill caches
                taken[side].append((time.perf_counter() - started) * 1000)
    mine, theirs = statistics.median(taken["hub"]), statistics.median(taken["plain"]) * times
    tell(name, mine / theirs, target, f"(hub {mine:.0f} ms, plain {theirs:.0f} ms)")
    return mine, theirs


def tell(name: str, value: float, target: float, unit: str) -> None:
    if value > target:
        missed.append(name)
    print(
        f"{name:38} {value:9.3f}   target ≤ {target:<7.3f} {'ok' if value <= target else 'MISSED'}  {unit}", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
