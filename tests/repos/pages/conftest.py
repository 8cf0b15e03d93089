"""What most pages are looked at with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from repos.models import Repository
from tests.support.writer import Writer


@pytest.fixture
def project(private: Repository, writer: Callable[[Repository], Writer]) -> Writer:
    """alice/private with a few files on main."""
    made = writer(private)
    source = "import os\n\n\ndef f():\n    return 1\n"
    made.commit({"README.md": "# Private\n\nHello.\n", "src/model.py": source}, "First")
    made.commit({"src/deep/er/x.txt": "x\n", "data.csv": "a,b\n1,2\n"}, "Add data\n\nWith a body.")
    return made
