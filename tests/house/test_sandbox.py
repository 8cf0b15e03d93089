"""Calls into the sandbox's child: what comes back, whatever the machine does meanwhile."""

from __future__ import annotations

import select
import socket
import time

from hub.lib import sandbox

FUNCTION = "hub.lib.previews.trees:tree"


class Late(socket.socket):
    """As on a busy machine: after each thing that is sent, the other side has all the time it wants."""

    def sendall(self, data: bytes, flags: int = 0) -> None:
        super().sendall(data, flags)
        ended = select.poll()
        ended.register(self, 0)  # that the other side has gone is told unasked
        assert ended.poll(10_000)


def test_a_child_that_needs_no_bytes_may_end_before_we_go_on() -> None:
    order = {"function": FUNCTION, "options": {"format": "json"}, "seconds": 5.0, "memory_bytes": sandbox.MEMORY_BYTES}
    with Late(fileno=sandbox.previews.channel().detach()) as channel:
        answer = sandbox._talk(channel, order, b"", deadline=time.monotonic() + 20, output_bytes=10_000)
    assert b"unreadable" in answer  # no bytes are no JSON; what counts is that it was heard
