"""Slow clients of a hub, in a process of their own: `python -m bench.slow URL TOKEN REPOSITORY PATH…`.

Each takes or gives RATE bytes a second through small socket buffers, so that the server really waits for it. They
come in turns: a git clone, a DVC download, a DVC upload. Prints "moving" once every one of them has moved bytes;
runs until standard input ends, then prints how many bytes each kind moved.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
import socket
import sys
from urllib.parse import urlsplit

from repos.git import pkt

RATE, TICKS_PER_SECOND = 20_000, 4
BUFFER = 4_096  # of the sockets; the kernel doubles it
UPLOAD_BYTES = 100_000_000  # more than any run sends


class Client:
    """One connection that never finishes. kind: clone, download or upload."""

    def __init__(self, kind: str, base: str, token: str, paths: dict[str, str]) -> None:
        self.kind, self.token, self.paths, self.moved = kind, token, paths, 0
        address = urlsplit(base)
        self.host, self.port = str(address.hostname), int(address.port or 80)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(random.uniform(0, 1 / TICKS_PER_SECOND))  # a crowd does not breathe in step
        with socket.socket() as connection:
            connection.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                connection.setsockopt(socket.SOL_SOCKET, option, BUFFER)
            await loop.sock_connect(connection, (self.host, self.port))
            await loop.sock_sendall(connection, self.head())
            piece = RATE // TICKS_PER_SECOND
            while True:
                if self.kind == "upload":
                    await loop.sock_sendall(connection, os.urandom(piece))
                    self.moved += piece
                else:
                    taken = await self.take(connection, piece)
                    if not taken:
                        raise ConnectionError(f"the {self.kind} ended after {self.moved:,} bytes")
                    if not self.moved and not taken.startswith(b"HTTP/1.1 200"):
                        raise ConnectionError(taken[:300].decode("latin-1"))
                    self.moved += len(taken)
                await asyncio.sleep(1 / TICKS_PER_SECOND)

    async def take(self, connection: socket.socket, size: int) -> bytes:
        """Up to size bytes, at least one unless the server hung up."""
        loop, taken = asyncio.get_running_loop(), b""
        while len(taken) < size:
            try:
                async with asyncio.timeout(0.2 if taken else None):
                    more = await loop.sock_recv(connection, size - len(taken))
            except TimeoutError:
                break
            if not more:
                break
            taken += more
        return taken

    def head(self) -> bytes:
        credential = base64.b64encode(f"any:{self.token}".encode()).decode()
        lines = [f"Host: {self.host}:{self.port}", f"Authorization: Basic {credential}"]
        body = b""
        if self.kind == "clone":
            method = "POST"
            body = pkt.line(b"command=fetch") + b"0001" + pkt.line(b"no-progress") + pkt.line(b"ofs-delta")
            body += pkt.line(f"want {self.paths['commit']}\n".encode()) + pkt.line(b"done\n") + pkt.FLUSH
            lines += ["Content-Type: application/x-git-upload-pack-request", "Git-Protocol: version=2"]
            lines += [f"Content-Length: {len(body)}"]
            path = f"{self.paths['repository']}.git/git-upload-pack"
        elif self.kind == "download":
            method, path = "GET", f"{self.paths['repository']}.dvc/{object_path(self.paths['object'])}"
        else:
            method = "POST"
            path = f"{self.paths['repository']}.dvc/{object_path(hashlib.md5(os.urandom(16)).hexdigest())}"
            lines += [f"Content-Length: {UPLOAD_BYTES}"]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body


def object_path(md5: str) -> str:
    return f"files/md5/{md5[:2]}/{md5[2:]}"


async def crowd(clients: list[Client]) -> None:
    """Run them all until standard input ends. Raises what the first failing one raised."""
    loop = asyncio.get_running_loop()
    ended = loop.run_in_executor(None, sys.stdin.read)
    running = [asyncio.create_task(client.run()) for client in clients]
    while not all(client.moved for client in clients):
        await asyncio.sleep(0.1)
        for task in running:
            if task.done():
                task.result()
    print("moving", flush=True)
    done, _ = await asyncio.wait([ended, *running], return_when=asyncio.FIRST_COMPLETED)
    for task in running:
        task.cancel()
    for future in done:
        future.result()
    kinds = {client.kind for client in clients}
    print(json.dumps({kind: sum(c.moved for c in clients if c.kind == kind) for kind in sorted(kinds)}), flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "token", "repository", "commit", "object"):
        options.add_argument(name)
    options.add_argument("--clients", type=int, default=50)
    options.add_argument("--clones", type=int, default=16)  # as many as the hub serves at once; the rest would queue
    chosen = options.parse_args()
    paths = {"repository": chosen.repository, "commit": chosen.commit, "object": chosen.object}
    others = chosen.clients - chosen.clones
    kinds = ["clone"] * chosen.clones + ["download", "upload"] * (others // 2) + ["download"] * (others % 2)
    asyncio.run(crowd([Client(kind, chosen.url, chosen.token, paths) for kind in kinds]))


if __name__ == "__main__":
    main()
