"""Git over HTTP against nginx + fcgiwrap + git http-backend, in the same run: `python -m bench.git`.

Both serve the same bytes on disk with the same git configuration and durability, and ask for a password. Rounds
alternate, the best of each counts, and only ratios (hub / peer) mean anything. Clones are read by curl into nothing, so
that the client's own work does not hide the server. Needs nginx, fcgiwrap and curl (Debian's names).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from repos.git import commands, maintenance, pkt
from tests.support import services
from tests.support.hub import Hub, embedded_hub

COMMITS, BYTES_PER_COMMIT = 20_000, 11_000
TARGETS = {"full clone": 0.95, "8 clones at once": 0.45, "push 200 MB chunked": 1.0, "no-op fetch x10": 1.0}
# The client neither packs nor compresses: it sends as fast as the server takes.
AT_ONCE = ("-c", "pack.window=0", "-c", "core.compression=0")
NGINX = """
daemon off; pid {root}/nginx.pid; error_log {root}/error.log; worker_processes 2; user root;
events {{ worker_connections 256; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {root}/body; fastcgi_temp_path {root}/fastcgi;
  proxy_temp_path {root}/proxy; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  server {{ listen 127.0.0.1:{port};
    location / {{
      auth_basic bench; auth_basic_user_file {root}/passwords;
      include /etc/nginx/fastcgi_params; gzip off; fastcgi_request_buffering off; fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend; fastcgi_param PATH_INFO $uri;
      fastcgi_param GIT_PROJECT_ROOT {root}/repos; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param REMOTE_USER bench; fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param GIT_CONFIG_NOSYSTEM 1; fastcgi_param GIT_CONFIG_GLOBAL {config};
      fastcgi_pass unix:{root}/fcgi; }} }} }}
"""


@dataclass
class Side:
    """One server: how to reach its big repository, and how to make an empty one to push to."""

    name: str
    url: str
    fresh: Callable[[], str]
    seconds: dict[str, float] = field(default_factory=dict)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--commits", type=int, default=COMMITS)
    options.add_argument("--only", default="", help="a word of the measurements to take, e.g. push")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that both servers are ended
    root = Path(tempfile.mkdtemp(prefix="covey-bench-git-"))
    try:
        run(root, chosen.rounds, chosen.commits, chosen.only)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def run(root: Path, rounds: int, commits: int, only: str) -> None:
    (root / "hub").mkdir()
    hub = embedded_hub(root / "hub")
    hub.commands = [["serve"]]
    peer = Peer(root / "peer")
    try:
        hub.start()
        token = hub.user("bench")
        source = make_history(root / "source", commits)
        first = create(hub, token, "big")
        git("push", "-q", first, "main", folder=source)
        path = Path(hub.covey("admin", "repo-path", "bench/big"))
        maintenance.maintain(path)
        shutil.copytree(path, peer.repositories / "big.git")
        names = iter(f"fresh-{number}" for number in range(10_000))
        sides = [
            Side("hub", first, lambda: create(hub, token, next(names))),
            Side("nginx", f"{peer.url}/big.git", lambda: peer.create(next(names))),
        ]
        measure(sides, rounds, root, only, commands.run(path, "rev-parse", "main").decode().strip())
        print_table(sides, memory_during_clone(hub, sides[0], root))
    finally:
        hub.stop()
        peer.stop()


def measure(sides: list[Side], rounds: int, root: Path, only: str, commit: str) -> None:
    want = pkt.line(b"command=fetch") + b"0001" + pkt.line(b"no-progress") + pkt.line(b"ofs-delta")
    (root / "want").write_bytes(want + pkt.line(f"want {commit}\n".encode()) + pkt.line(b"done\n") + pkt.FLUSH)
    large = make_large(root / "large")
    for side in sides:
        git("clone", "-q", "--bare", side.url, str(root / f"clone-{side.name}"), folder=root)
    for number in range(rounds):
        for side in sides if number % 2 else sides[::-1]:
            empty = side.fresh()
            clone = root / f"clone-{side.name}"
            tasks: dict[str, Callable[[], object]] = {
                "full clone": lambda side=side: fetch(side, root),
                "8 clones at once": lambda side=side: at_once(8, lambda: fetch(side, root)),
                "push 200 MB chunked": lambda url=empty: git(*AT_ONCE, "push", "-q", url, "main", folder=large),
                "no-op fetch x10": lambda side=side, clone=clone: [
                    git("fetch", "-q", side.url, "main", folder=clone) for _ in range(10)
                ],
            }
            for what, task in tasks.items():
                if only not in what:
                    continue
                started = time.perf_counter()
                task()
                took = time.perf_counter() - started
                side.seconds[what] = min(took, side.seconds.get(what, took))


def fetch(side: Side, root: Path) -> None:
    """A whole clone as a client asks for it, thrown away."""
    out = subprocess.run(
        [
            "curl", "-sS", "--fail", "-o", os.devnull, "-w", "%{size_download}", "--data-binary", f"@{root / 'want'}",
            "-H", "Content-Type: application/x-git-upload-pack-request", "-H", "Git-Protocol: version=2",
            f"{side.url}/git-upload-pack",
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert int(out.stdout) > 1_000_000, out.stdout


def at_once(count: int, task: Callable[[], None]) -> None:
    threads = [threading.Thread(target=task) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def memory_during_clone(hub: Hub, side: Side, root: Path) -> int:
    """Growth of the web process's own memory while 8 clones run, in bytes."""
    web = hub.processes[0].pid
    before = peak = anonymous_bytes(web)
    running = threading.Thread(target=at_once, args=(8, lambda: fetch(side, root)))
    running.start()
    while running.is_alive():
        peak = max(peak, anonymous_bytes(web))
        time.sleep(0.05)
    return peak - before


def anonymous_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def print_table(sides: list[Side], grown: int) -> None:
    hub, peer = sides
    print(f"{'':24}{'hub s':>9}{'nginx s':>9}{'ratio':>8}{'target':>8}")
    for what, target in TARGETS.items():
        if what not in hub.seconds:
            continue
        ratio = hub.seconds[what] / peer.seconds[what]
        verdict = "" if ratio <= target else "  missed"
        print(f"{what:24}{hub.seconds[what]:9.2f}{peer.seconds[what]:9.2f}{ratio:8.2f}{target:8.2f}{verdict}")
    print(f"web process during 8 clones: +{grown / 1024**2:.1f} MB, {grown / 8 / 1024**2:.1f} MB per clone (target 20)")


class Peer:
    """nginx in front of fcgiwrap in front of git http-backend."""

    def __init__(self, root: Path) -> None:
        self.repositories = root / "repos"
        self.repositories.mkdir(parents=True)
        port = services.free_port()
        self.url = f"http://bench:secret@127.0.0.1:{port}"
        (root / "passwords").write_text("bench:{PLAIN}secret\n")
        (root / "nginx.conf").write_text(NGINX.format(root=root, port=port, config=commands.CONFIG))
        self._children = [
            subprocess.Popen(["fcgiwrap", "-c", "16", "-s", f"unix:{root}/fcgi"], start_new_session=True),
            subprocess.Popen(["nginx", "-p", str(root), "-c", str(root / "nginx.conf")], start_new_session=True),
        ]
        services.wait_until(lambda: (root / "fcgi").exists() and (root / "nginx.pid").exists(), what="nginx")
        os.chmod(root / "fcgi", 0o666)

    def create(self, name: str) -> str:
        path = self.repositories / f"{name}.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
        subprocess.run(["git", f"--git-dir={path}", "config", "http.receivepack", "true"], check=True)
        return f"{self.url}/{name}.git"

    def stop(self) -> None:
        for child in self._children:
            commands.kill_group(child.pid)
            child.wait(10)


def make_history(path: Path, commits: int) -> Path:
    """A repository of so many commits, each writing one file that does not compress."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    importing = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=path, stdin=subprocess.PIPE)
    assert importing.stdin
    chance = random.Random(1)
    for number in range(commits):
        data = chance.randbytes(BYTES_PER_COMMIT)
        head = f"commit refs/heads/main\ncommitter B <b@example.org> {1_600_000_000 + number} +0000\ndata 1\nx\n"
        body = f"M 644 inline dir{number % 50}/f{number % 997}\ndata {len(data)}\n"
        importing.stdin.write(head.encode() + body.encode() + data + b"\n")
    importing.stdin.close()
    assert importing.wait() == 0
    return path


def make_large(path: Path) -> Path:
    """20 files of 10 MB in one commit."""
    subprocess.run(["git", "init", "-q", "-b", "main", path], check=True)
    chance = random.Random(2)
    for number in range(20):
        (path / f"f{number}").write_bytes(chance.randbytes(10_000_000))
    git("add", "-A", folder=path)
    git("-c", "user.name=B", "-c", "user.email=b@example.org", "commit", "-q", "-m", "large", folder=path)
    return path


def create(hub: Hub, token: str, name: str) -> str:
    hub.repository(token, name)
    return f"http://any:{token}@{hub.url.removeprefix('http://')}/bench/{name}.git"


def git(*arguments: str, folder: Path) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, stderr=sys.stderr)


if __name__ == "__main__":
    main()
