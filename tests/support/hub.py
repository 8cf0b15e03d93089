"""A real hub in its own processes, for tests that drive it from outside: clients, browser, faults."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support import prepared, services

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Hub:
    """A running hub. url has no trailing slash. environment: what its processes were started with."""

    home: Path
    environment: dict[str, str]
    url: str
    commands: list[list[str]]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    # ---- life ------------------------------------------------------------------------------------
    def start(self) -> Hub:
        for command in self.commands:
            log = (self.home / f"{command[0]}.log").open("ab")
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-m", "hub.cli", *command],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        services.wait_until(self.healthy, what=f"the hub (logs in {self.home})", seconds=90)
        return self

    def healthy(self) -> bool:
        for process in self.processes:
            if process.poll() is not None:
                raise RuntimeError(f"a hub process ended at once ({process.args}):\n{self.log()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self.processes.clear()

    def kill_web(self) -> None:
        """kill -9 of the first process (the web), as a crash would."""
        web = self.processes.pop(0)
        web.kill()
        web.wait()

    def restart_web(self) -> None:
        rest, self.processes = self.processes, []
        commands, self.commands = self.commands, self.commands[:1]
        try:
            self.start()
        finally:
            self.commands = commands
            self.processes += rest

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.home.glob("*.log")))

    # ---- its command line ------------------------------------------------------------------------
    def covey(self, *arguments: str, stdin: str = "") -> str:
        """Run `covey …` in this hub's environment; its standard output, stripped."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "hub.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=300,
        )
        assert done.returncode == 0, f"covey {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def user(self, name: str, *, admin: bool = False) -> str:
        """Make a user; their token with every write scope. The password is `correct horse battery`."""
        flags = ["--admin"] if admin else []
        self.covey(
            "admin", "create-user", name, "--email", f"{name}@example.org", "--password-stdin", *flags,
            stdin="correct horse battery\n",
        )  # fmt: skip
        return self.token(name)

    def token(self, name: str, *options: str) -> str:
        return self.covey("admin", "create-token", name, "--name", "test", *options)

    def repository(self, token: str, name: str, *, private: bool = True) -> None:
        """Make a repository of the token's owner."""
        body = {"name": name, "private": private}
        headers = {"Authorization": f"Bearer {token}"}
        httpx.post(f"{self.url}/api/v1/user/repos", json=body, headers=headers, timeout=60).raise_for_status()


def production_hub(home: Path, *, ready: bool = False) -> Hub:
    """web + worker on PostgreSQL, SeaweedFS and Redis; a database of its own. ready: not from nothing, but with what
    the first start makes."""
    port = services.free_port()
    environment = {
        **os.environ,
        "COVEY_HOME": str(home),
        "COVEY_BIND": f"127.0.0.1:{port}",
        "COVEY_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        **services.apart(),
    }
    name = f"hub_{time.time_ns()}"
    if ready:
        environment = prepared.production(environment, name)
    else:
        environment["DATABASE_URL"] = services.fresh_database(environment["DATABASE_URL"], name)
    return Hub(home, environment, f"http://127.0.0.1:{port}", [["serve"], ["worker"]])


def embedded_hub(home: Path, *, ready: bool = False) -> Hub:
    """`covey up` with nothing set: SQLite, a folder, the file-system broker. ready: as for production_hub."""
    port = services.free_port()
    given = [
        "DATABASE_URL",
        "MLFLOW_DATABASE_URL",
        "CACHE_URL",
        "BROKER_URL",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "COVEY_URL",
    ]
    environment = {k: v for k, v in os.environ.items() if k not in given and not k.startswith("COVEY_")}
    environment |= {"COVEY_HOME": str(home), "COVEY_BIND": f"127.0.0.1:{port}"}
    if ready:
        environment = prepared.embedded(environment)
    return Hub(home, environment, f"http://127.0.0.1:{port}", [["up"]])
