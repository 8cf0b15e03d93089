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
        return
    home = tempfile.mkdtemp(prefix="covey-test-")
    os.chmod(home, 0o755)
    os.environ["COVEY_TEST_HOME"] = os.environ["COVEY_HOME"] = home
    owner = os.getpid()

    def clean() -> None:
        if os.getpid() == owner:
            services.stop_all()
            shutil.rmtree(home, ignore_errors=True)

    atexit.register(clean)
    if os.environ.get("COVEY_TEST") == "production":
        os.environ.update(services.production_environment(home))


_prepare()
