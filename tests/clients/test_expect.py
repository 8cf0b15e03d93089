"""Clients that wait to be told to go on (Expect: 100-continue) before they send a body: botocore, curl, git."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.support.hub import Hub

pytestmark = pytest.mark.client


def say(hub: Hub, *lines: str) -> tuple[bytes, bool]:
    """The head and body of one answer, and whether the hub closed the connection after it."""
    address = urlsplit(hub.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as link:
        link.sendall("\r\n".join([*lines, f"Host: {address.netloc}", "Expect: 100-continue", "", ""]).encode())
        link.settimeout(5)
        found = b""
        try:
            while piece := link.recv(65_536):
                found += piece
        except TimeoutError:
            return found, False
        return found, True


@pytest.mark.parametrize(
    "target", ["/sue/absent.dvc/files/md5/aa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "/sue/absent.s3/absent/key"]
)
def test_a_refusal_before_the_body_ends_the_connection(hub: Hub, target: str) -> None:
    """Else the next request on it would be read as the body that never came."""
    answer, closed = say(hub, f"PUT {target} HTTP/1.1", "Content-Length: 3")
    assert answer.split()[1] in {b"401", b"403", b"404"}
    assert b"connection: close" in answer.lower()
    assert closed
