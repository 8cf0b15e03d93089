"""A few kills -9 amid pushes, uploads, batches and merges; `python -m bench.kill` does many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import killing
from tests.support.crashes import Stage
from tests.support.killing import KINDS

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(900)]
ROUNDS = {
    "git": 3,
    "objects": 3,
    "files": 3,
    "runs": 2,
    "merges": 2,
}  # every start loads MLflow again before it can take a batch


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with killing.stage(tmp_path_factory.mktemp("kill"), production=False, ready=True) as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_survives_whole(stage, kind):
    result = killing.rounds(stage, kind, ROUNDS[kind])
    assert result.violations == []
    assert result.acknowledged >= ROUNDS[kind]


def test_afterwards_everything_settles(stage):
    """Outbox and pushes drain, counters equal a recount, nothing is left behind."""
    assert killing.settled(stage) == []
