"""Loaded by `-p` before Django reads its settings: a fresh home, and real services when COVEY_TEST=production.

COVEY_TEST=production (what bin/test and CI use) runs the tests on PostgreSQL, SeaweedFS and Redis;
without it they run on the embedded default: SQLite, a folder, a file-system broker.
`--part NAME` runs one part of bin/test and imports no test of another.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support import services

APART = {
    "client": "clients",
    "browser": "browser",
    "embedded": "embedded",
}  # mark → folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--part", choices=["unit", *APART.values()], help="one part of bin/test")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    tests, part = config.rootpath / "tests", config.getoption("--part")
    if part is None or collection_path.parent != tests:
        return None
    inside = collection_path.name if collection_path.name in APART.values() else "unit"
    return True if inside != part else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's folder says in which part it runs, its mark what that part gives it: the two agree."""
    for item in items:
        folder = item.path.relative_to(item.config.rootpath / "tests").parts[0]
        marks = [name for name in APART if item.get_closest_marker(name)]
        wanted = [name for name, place in APART.items() if place == folder]
        if marks != wanted:
            raise pytest.UsageError(f"{item.nodeid}: tests in tests/{folder} have the marks {wanted}, not {marks}")


def pytest_collection_finish() -> None:
    """What was imported stays: no collection of garbage looks at it again. The others are seldom: a tenth of the time
    went into them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_unconfigure() -> None:
    gc.unfreeze()


def _prepare() -> None:
    if os.environ.get("COVEY_TEST_HOME"):  # a worker of pytest-xdist: its parent made everything, homes apart
        os.environ["COVEY_HOME"] = tempfile.mkdtemp(prefix="worker-", dir=os.environ["COVEY_TEST_HOME"])
        if os.environ.get("COVEY_TEST") == "production":  # tests clear the cache, empty MLflow's tables, delete objects
            own = services.fresh_database(os.environ["DATABASE_URL"], f"worker_{os.getpid()}")
            os.environ.update(services.apart(), DATABASE_URL=own)
        atexit.register(services.stop_all)  # what this worker's own tests started
        return
    base = tempfile.mkdtemp(prefix="covey-test-")
    os.chmod(base, 0o755)  # the database server may run as another user; the hub's own home below is private
    os.environ["COVEY_TEST_HOME"] = base
    os.environ["COVEY_HOME"] = f"{base}/home"
    owner = os.getpid()

    def clean() -> None:
        if os.getpid() == owner:
            services.stop_all()
            shutil.rmtree(base, ignore_errors=True)

    atexit.register(clean)
    if os.environ.get("COVEY_TEST") == "production":
        os.environ.update(services.production_environment(base))


_prepare()
