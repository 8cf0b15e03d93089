"""The git people have, against a running hub: clone, fetch, push in every form, and a web process that is killed."""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from repos.git import maintenance
from tests.support import services
from tests.support.hub import Hub, embedded_hub

pytestmark = pytest.mark.client
PATIENCE_SECONDS = 120
_number = iter(range(10_000))


class Client:
    """One person's git, in a home of its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.home = home
        who = {"GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.org"}
        who |= {"GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@example.org"}
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            **who,
        }

    def run(self, *arguments: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.home / folder,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=120,
        )

    def __call__(self, *arguments: str, folder: str = ".") -> str:
        done = self.run(*arguments, folder=folder)
        assert done.returncode == 0, f"git {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout.strip()

    def commit(self, folder: str, name: str, data: bytes) -> str:
        (self.home / folder / name).write_bytes(data)
        self("add", "-A", folder=folder)
        self("commit", "-q", "-m", f"write {name}", folder=folder)
        return self("rev-parse", "HEAD", folder=folder)


@pytest.fixture(scope="module")
def token(hub: Hub) -> str:
    return hub.user("gitty")


@pytest.fixture
def address(hub: Hub, token: str) -> str:
    """The URL, with its credential, of a new empty private repository."""
    return create(hub, "gitty", token)


@pytest.fixture
def git(tmp_path: Path) -> Client:
    return Client(tmp_path / "client")


def create(hub: Hub, owner: str, token: str) -> str:
    name = f"repo-{next(_number)}"
    hub.repository(token, name)
    return f"http://any:{token}@{hub.url.removeprefix('http://')}/{owner}/{name}.git"


def path_of(hub: Hub, address: str) -> Path:
    owner, name = address.removesuffix(".git").split("/")[-2:]
    return Path(hub.covey("admin", "repo-path", f"{owner}/{name}"))


@pytest.fixture
def pushed(git: Client, address: str) -> str:
    """A clone in `work` with three commits, pushed."""
    git("clone", "-q", address, "work")
    for number in range(3):
        git.commit("work", f"f{number}", f"line {number}\n".encode() * 100)
    git("push", "-q", "origin", "HEAD:main", folder="work")
    return git("rev-parse", "HEAD", folder="work")


def test_it_clones_what_was_pushed(git, address, pushed):
    for protocol in "012":
        git("-c", f"protocol.version={protocol}", "clone", "-q", address, f"v{protocol}")
        assert git("rev-parse", "HEAD", folder=f"v{protocol}") == pushed
        git("fsck", "--strict", folder=f"v{protocol}")
    git("clone", "-q", address.removesuffix(".git"), "plain")
    assert git("symbolic-ref", "HEAD", folder="plain") == "refs/heads/main"


def test_it_serves_shallow_and_partial_clones(git, address, pushed):
    git("clone", "-q", "--depth", "1", address, "shallow")
    assert git("rev-list", "--count", "HEAD", folder="shallow") == "1"
    git("fetch", "-q", "--unshallow", folder="shallow")
    assert git("rev-list", "--count", "HEAD", folder="shallow") == "3"
    git("clone", "-q", "--filter=blob:none", "--no-checkout", address, "partial")
    assert "?" in git("rev-list", "--objects", "--missing=print", "--all", folder="partial")
    git("checkout", "-q", "main", folder="partial")
    assert (git.home / "partial/f2").exists()


def test_branches_tags_and_experiments_come_and_go(git, address, pushed):
    git("tag", "-a", "-m", "v1", "v1", folder="work")
    git("push", "-q", "origin", "v1", "HEAD:ветка/é", "HEAD:refs/exps/ab/cd/exp-1", "HEAD:refs/notes/n", folder="work")
    listed = git("ls-remote", address)
    for ref in ["refs/tags/v1^{}", "refs/heads/ветка/é", "refs/exps/ab/cd/exp-1", "refs/notes/n"]:
        assert ref in listed
    git("push", "-q", "origin", ":v1", ":ветка/é", ":refs/exps/ab/cd/exp-1", folder="work")
    assert "exp-1" not in git("ls-remote", address)


def test_only_a_forced_push_loses_commits(git, address, pushed):
    git("reset", "-q", "--hard", "HEAD~1", folder="work")
    git.commit("work", "other", b"other\n")
    refused = git.run("push", "origin", "HEAD:main", folder="work")
    assert refused.returncode
    assert "non-fast-forward" in refused.stderr or "fetch first" in refused.stderr
    git("push", "-q", "-f", "origin", "HEAD:main", folder="work")
    assert git("ls-remote", address, "main").split()[0] == git("rev-parse", "HEAD", folder="work")


def test_a_large_push_goes_in_chunks_and_comes_back(git, address, hub):
    git("init", "-q", "-b", "main", "work")
    data = random.Random(1).randbytes(12 * 1024**2)
    git.commit("work", "large.bin", data)
    git("-c", "http.postBuffer=65536", "push", "-q", address, "main", folder="work")
    git("clone", "-q", address, "back")
    assert (git.home / "back/large.bin").read_bytes() == data
    path = path_of(hub, address)
    assert len(list(path.glob("objects/pack/*.pack"))) == 1  # kept as a pack, not exploded
    assert not list(path.glob("objects/tmp_*"))


def test_the_terminal_says_what_to_do(git, address, pushed):
    branch = git.run("push", "origin", "HEAD:refs/heads/" + "a" * 40, folder="work")
    assert "looks like a commit id" in branch.stderr
    assert "remote: Give the branch or tag another name." in branch.stderr
    wrong = git.run("ls-remote", address.replace(":covey_", ":covey_x"))
    assert "Authentication failed" in wrong.stderr
    absent = git.run("ls-remote", address.replace("/repo-", "/none-"))
    assert "not found" in absent.stderr


def test_of_racing_pushes_exactly_one_wins(git, address, pushed):
    folders = [f"racer{number}" for number in range(4)]
    for folder in folders:
        git("clone", "-q", address, folder)
        git.commit(folder, folder, folder.encode())
    results: dict[str, int] = {}

    def race(folder: str) -> None:
        results[folder] = git.run("push", "-q", "origin", "HEAD:main", folder=folder).returncode

    threads = [threading.Thread(target=race, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [folder for folder in folders if results[folder] == 0]
    assert len(winners) == 1
    assert git("ls-remote", address, "main").split()[0] == git("rev-parse", "HEAD", folder=winners[0])


def test_a_killed_client_leaves_nothing(git, address, hub):
    git("init", "-q", "-b", "main", "work")
    git.commit("work", "large.bin", os.urandom(24 * 1024**2))
    child = subprocess.Popen(["git", "push", "-q", address, "main"], cwd=git.home / "work", env=git.environment)
    time.sleep(0.4)
    child.kill()
    child.wait()
    path = path_of(hub, address)

    def gone() -> bool:
        return not list(path.glob("objects/tmp_*")) and not working_on(path)

    services.wait_until(gone, what="git to clean up after its client", seconds=20)
    git("push", "-q", address, "main", folder="work")


def test_the_merge_of_a_pull_request_is_fetched_and_tried(git, address, hub, token):
    stranger = hub.user("nobody")
    git("init", "-q", "-b", "main", "work")
    git("remote", "add", "origin", address, folder="work")
    git.commit("work", "a.txt", b"a\n")
    git("switch", "-q", "-c", "change", folder="work")
    head = git.commit("work", "change.txt", b"change\n")
    git("switch", "-q", "main", folder="work")
    base = git.commit("work", "main.txt", b"main\n")
    git("push", "-q", "origin", "main", "change", folder="work")
    name = address.rpartition("/")[2].removesuffix(".git")
    with httpx.Client(base_url=f"{hub.url}/api/v1/repos/gitty/{name}/", auth=("gitty", token), timeout=60) as api:
        api.post("pulls", json={"title": "Change", "head": "change", "base": "main"}).raise_for_status()
        until = time.monotonic() + PATIENCE_SECONDS
        while "refs/pull/1/merge" not in git("ls-remote", "origin", "refs/pull/*", folder="work"):
            assert time.monotonic() < until, hub.log()
            time.sleep(0.5)  # a worker writes it
        git("fetch", "-q", "origin", "refs/pull/1/merge", folder="work")
        assert git("show", "-s", "--format=%P", "FETCH_HEAD", folder="work").split() == [base, head]
        names = git("ls-tree", "--name-only", "FETCH_HEAD", folder="work").split()
        assert names == ["a.txt", "change.txt", "main.txt"]
        assert git.run("fetch", address.replace(token, stranger), "refs/pull/1/merge", folder="work").returncode
        assert git.run("push", "origin", "main:refs/pull/1/merge", folder="work").returncode
        api.put("pulls/1/merge", json={"merge_method": "rebase"}).raise_for_status()
    git("pull", "-q", "--ff-only", "origin", "main", folder="work")
    said = git("log", "--format=%s", folder="work").splitlines()
    assert said == ["write change.txt", "write main.txt", "write a.txt"]


def working_on(path: Path) -> str:
    return subprocess.run(["pgrep", "-f", f"git.*{path}"], capture_output=True, text=True).stdout


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub whose web process may be killed."""
    made = embedded_hub(tmp_path / "hub", ready=True)
    made.commands = [["serve"]]
    try:
        yield made.start()
    finally:
        made.stop()


def test_acknowledged_pushes_survive_kill_9_of_the_web_process(own_hub, git):
    """security.md §3: fsck clean, no stale lock, every acknowledged push there, every push settled."""
    token = own_hub.user("gitty")
    address = create(own_hub, "gitty", token)
    git("init", "-q", "-b", "main", "work")
    acknowledged: dict[str, str] = {}
    stop = threading.Event()

    def work() -> None:
        for number in range(1000):
            if stop.is_set():
                return
            commit = git.commit("work", f"f{number}", os.urandom(200_000))
            if git.run("push", "-q", address, f"HEAD:refs/heads/b{number}", folder="work").returncode == 0:
                acknowledged[f"refs/heads/b{number}"] = commit

    worker = threading.Thread(target=work)
    worker.start()
    chance = random.Random(2)
    for _ in range(4):
        time.sleep(chance.uniform(0.5, 2.0))
        own_hub.kill_web()
        own_hub.restart_web()
    time.sleep(2)
    stop.set()
    worker.join()
    path = path_of(own_hub, address)
    services.wait_until(lambda: not working_on(path), what="git to end", seconds=30)
    refs = dict(reversed(row.split("\t")) for row in git("ls-remote", address).splitlines())
    assert acknowledged
    assert {ref: refs.get(ref) for ref in acknowledged} == acknowledged
    done = subprocess.run(["git", f"--git-dir={path}", "fsck", "--full", "--strict"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not list(path.rglob("*.lock"))
    # What a killed process left of an upload goes within the hour, by the tidying that beat starts.
    for found in path.rglob("*"):
        os.utime(found, (time.time() - 4000,) * 2)
    maintenance.tidy(path)
    assert not list(path.rglob("tmp_*"))
