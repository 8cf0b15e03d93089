"""The inside of the sandbox: a warm process without Django that forks a bounded child for each call."""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any

MAX_FILES = 8
MIB = 1024 * 1024


def serve(descriptor: str, what: str) -> None:
    """Fork a child for every socket that arrives; leave when the hub closes its end. what: {"allowed", "warm"}."""
    order = json.loads(what)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the children
    for module in order["warm"]:
        importlib.import_module(module)
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as control:
        while True:
            message, channels, _, _ = socket.recv_fds(control, 1, 1 + MAX_FILES)
            if not message:
                os._exit(0)  # engines in C++ would list in the log what they left in memory
            if os.fork() == 0:
                control.close()
                _work(channels[0], channels[1:], order["allowed"])
            for channel in channels:
                os.close(channel)


def _work(descriptor: int, files: list[int], allowed: str) -> None:
    """Read one order, answer it, end."""
    signal.alarm(120)  # until the order says how long it may take
    with socket.socket(fileno=descriptor) as channel:
        header_bytes, payload_bytes = struct.unpack("!IQ", _read(channel, 12))
        order = json.loads(_read(channel, header_bytes))
        payload = _read(channel, payload_bytes)
        options = order["options"] | ({"files": [f"/dev/fd/{file}" for file in files]} if files else {})
        _bound(order["seconds"], order["memory_bytes"])
        try:
            answer = json.dumps({"value": _run(order["function"], payload, options, allowed)})
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            # Parsers of hostile bytes raise all of these; whatever it was, the file is not what it claims to be.
            answer = json.dumps({"unreadable": _sentence(error)})
        channel.sendall(answer.encode())
    os._exit(0)


def _run(function: str, payload: bytes, options: dict[str, Any], allowed: str) -> Any:
    module, _, name = function.partition(":")
    if not function.startswith(allowed):
        raise LookupError(function)
    return getattr(importlib.import_module(module), name)(payload, **options)


def _sentence(error: Exception) -> str:
    text = str(error).split("\n", 1)[0][:300]
    return text if isinstance(error, ValueError) and text else type(error).__name__


def _bound(seconds: float, memory_bytes: int) -> None:
    """From here on: so much time and memory, no file written, no core. The clock kills, whatever the child does."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    cpu = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # macOS refuses limits on address space
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _read(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = channel.recv(min(size - len(data), MIB))
        if not piece:
            os._exit(1)
        data += piece
    return bytes(data)
