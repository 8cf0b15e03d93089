"""Loaded by `-p` before Django reads its settings: a fresh home, and real services when COVEY_TEST=production.

COVEY_TEST=production (what bin/test and CI use) runs the tests on PostgreSQL, SeaweedFS and Redis;
without it they run on the embedded default: SQLite, a folder, a file-system broker.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from tests.support import services


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
