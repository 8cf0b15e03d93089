"""A broker that does not answer costs whoever announces something a few seconds, once."""

from __future__ import annotations

import socket

import pytest
from celery import Celery

from hub.jobs import tasks


def nothing(row_id: int) -> None:
    """A task that nobody runs."""


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch):
    """(a task whose broker takes connections and never says a word, that broker)."""
    monkeypatch.setattr(tasks, "_left_alone_until", float("-inf"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        app = Celery("frozen", broker=f"redis://127.0.0.1:{server.getsockname()[1]}/0", set_as_current=False)
        app.conf.broker_transport_options = {"socket_timeout": 0.05}
        app.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_max": 0}
        yield app.task(nothing), server
        app.close()


def test_a_frozen_broker_is_left_alone_for_a_while(frozen, caplog):
    task, server = frozen
    tasks.wake(task, 1)
    assert "waits for the relay" in caplog.text
    assert tasks._left_alone_until > 0
    server.close()
    caplog.clear()
    tasks.wake(task, 2)
    assert not caplog.text
