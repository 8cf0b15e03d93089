"""The embedded broker: messages are whole or passed over, whoever is killed and however quick the reader is."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest
from kombu import Connection

import hub.celery  # noqa: F401  puts our transport in the place of kombu's
from hub.jobs.folder_broker import Transport


@pytest.fixture
def broker(tmp_path: Path):
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "control_folder": str(tmp_path / "control"),
    }
    Transport.global_state.clear()  # kombu remembers for the whole process which queues it has declared
    with Connection("filesystem://localhost", transport_options=options) as connection:
        yield connection


def put(broker, *numbers: int) -> None:
    with broker.SimpleQueue("celery") as queue:
        for number in numbers:
            queue.put({"n": number})


def take(broker, count: int) -> list[int]:
    found = []
    with broker.SimpleQueue("celery") as queue:
        for _ in range(count):
            message = queue.get(timeout=20)
            message.ack()
            found.append(int(message.payload["n"]))
    return found


def test_messages_come_in_order_and_once(broker, tmp_path):
    put(broker, 1, 2)
    assert take(broker, 2) == [1, 2]
    assert list((tmp_path / "queue").iterdir()) == []


@pytest.mark.parametrize("half", [b"", b'{"body": "eyJu'])
def test_a_message_whose_writer_was_killed_does_not_end_the_reader(broker, tmp_path, half):
    (tmp_path / "queue" / "0_killed.celery.msg").write_bytes(half)
    put(broker, 7)
    assert take(broker, 1) == [7]


def test_a_table_whose_writer_was_killed_is_made_again(broker, tmp_path):
    put(broker, 1)
    for table in (tmp_path / "control").glob("*.exchange"):
        table.write_bytes(b"")
    Transport.global_state.clear()
    put(broker, 2)
    assert take(broker, 2) == [1, 2]


def test_a_reader_is_never_quicker_than_its_writer(broker):
    count = 300
    writer = threading.Thread(target=put, args=(broker.clone(), *range(count)))
    writer.start()
    assert take(broker, count) == list(range(count))
    writer.join()


def test_a_message_sent_while_another_thread_binds_its_queue_is_not_lost(broker, tmp_path):
    writers = [threading.Thread(target=put, args=(broker.clone(), number)) for number in (1, 2)]
    with open(tmp_path / "control" / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first writer stops between remembering the binding and storing it
        for writer in writers:
            writer.start()
            writer.join(0.3)
    for writer in writers:
        writer.join()
    assert sorted(take(broker, 2)) == [1, 2]
