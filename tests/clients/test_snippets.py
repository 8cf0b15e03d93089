"""The code that a table's page offers, run as it stands: pandas, polars and DuckDB read the rows from a running hub."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from datasets.viewer.snippets import TOKEN, snippets
from hub.accounts.models import Owner
from repos.git.read import Rev
from repos.models import Repository
from repos.place import Place
from tests.clients.test_data_diff import table
from tests.support import clients
from tests.support.dvc import Clone, Remote

pytestmark = pytest.mark.client
CSV = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(300))


def run(code: str, last: str, *, python: Any, folder: Path) -> str:
    command = [str(python), "-c", f"{code}\nprint({last})"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_code_of_a_table_page_reads_it(clone: Clone, remote: Remote, settings: Any, tmp_path: Path) -> None:
    clone.git("checkout", "-q", "-b", "main")
    clone.remote(remote, remote.token)
    clone.write({"t.parquet": table(range(300)), "in git.csv": CSV})
    clone.dvc("add", "--quiet", "t.parquet")
    clone.git("add", ".")
    clone.git("commit", "-m", "one")
    clone.dvc("push", "--quiet")
    hub, owner, name = remote.url.rsplit("/", 2)
    clone.git("push", "-q", f"{hub.replace('//', f'//any:{remote.token}@')}/{owner}/{name}.git", "main")
    settings.COVEY_URL = hub
    words = ["git", "rev-parse", "main"]
    commit = subprocess.run(words, cwd=clone.folder, check=True, capture_output=True, text=True).stdout.strip()
    repository = Repository(owner=Owner(name=owner), name=name, private=True)
    asking = {
        "pandas": (sys.executable, "df.shape"),
        "polars": (clients.environment("s3") / "python", "df.shape"),
        "DuckDB": (sys.executable, "rows.shape"),
    }
    for path in ("t.parquet", "in git.csv"):
        for library, code in snippets(Place(repository, Rev("main", "branch", commit), path)):
            python, last = asking[library]
            assert remote.token not in code
            assert run(code.replace(TOKEN, remote.token), last, python=python, folder=tmp_path) == "(300, 2)", library
