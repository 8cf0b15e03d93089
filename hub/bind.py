"""The listening socket: where COVEY_BIND says, or the first free port from 8000. Standard library only."""

from __future__ import annotations

import errno
import os
import socket

from hub.env import SettingError
from hub.lib.numbers import whole

FIRST_PORT, LAST_PORT = 8000, 8999
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where each is answered on this machine


def listen() -> socket.socket:
    """A bound, listening socket for COVEY_BIND; COVEY_BIND then names the address that was taken.

    The protocol number is given, so that the event loop sets TCP_NODELAY on every connection (without it a small
    git request takes three times as long). Raises SettingError when the address is malformed or taken.
    """
    wanted = os.environ.get("COVEY_BIND", "").strip()
    if wanted:
        host, port = split(wanted)
        opened = _open(host, port)
        if opened is None:
            raise SettingError(
                "COVEY_BIND", f"is {wanted}, but that port is taken", "Stop what uses it or name another."
            )
    else:
        opened = _first_free("127.0.0.1")
    os.environ["COVEY_BIND"] = name_of(opened)
    return opened


def adopt(descriptor: int) -> socket.socket:
    """The listening socket that the supervisor handed over."""
    with socket.socket(fileno=os.dup(descriptor)) as probe:
        family = probe.family
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=descriptor)


def split(address: str) -> tuple[str, int]:
    """("127.0.0.1", 8000) of "127.0.0.1:8000"; [::1]:8000 is IPv6; port 0 means any free one."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    number = whole(port, most=65535)
    if not colon or not host or number is None:
        raise SettingError("COVEY_BIND", f"is {address!r}", "Set it to HOST:PORT, e.g. 127.0.0.1:8000.")
    return host, number


def name_of(opened: socket.socket) -> str:
    host, port = opened.getsockname()[:2]
    return f"[{host}]:{port}" if opened.family == socket.AF_INET6 else f"{host}:{port}"


def reachable(address: str) -> tuple[str, int]:
    """Where a process on this machine reaches a bound address: a wildcard is answered on the loopback."""
    host, port = split(address)
    return WILDCARDS.get(host, host), port


def browser_url(address: str) -> str:
    """The address a person on this machine opens."""
    host, port = split(address)
    name = "localhost" if host in WILDCARDS else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _first_free(host: str) -> socket.socket:
    for port in range(FIRST_PORT, LAST_PORT + 1):
        if opened := _open(host, port):
            return opened
    raise SettingError("COVEY_BIND", f"is not set and ports {FIRST_PORT} to {LAST_PORT} are taken", "Set it.")


def _open(host: str, port: int) -> socket.socket | None:
    """None when the port is taken."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except socket.gaierror as error:
        raise SettingError("COVEY_BIND", f"names the host {host!r}: {error.strerror}", "Set it to HOST:PORT.") from None
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(2048)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            return None
        reason = os.strerror(error.errno or 0)
        raise SettingError("COVEY_BIND", f"is {host}:{port}: {reason}", "Name an address of this machine.") from None
    return opened
