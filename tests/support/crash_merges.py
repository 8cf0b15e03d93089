"""Pull requests that are being merged when the web process is killed: merged exactly when the commit is in the base."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.crashes import Stage, Work, begin, damaged, git

METHODS = ("merge", "squash", "rebase")


class Merges(Work):
    """Three people, each with a clone, race into main; every pull request adds one file of its own."""

    count = 3

    def __init__(self, stage: Stage, round_number: int) -> None:
        super().__init__(stage, round_number)
        self.opened: dict[str, int] = {}  # file → number
        self.merged: set[str] = set()
        self.remote = stage.remote
        begin(stage)

    def work(self, number: int) -> None:
        folder = self.stage.scratch / f"merger{number}"
        if not folder.exists():
            git("clone", "-q", "-b", "main", self.remote, str(folder))
        with httpx.Client(auth=self.stage.auth, timeout=120) as client:
            count = 0
            while not self.down.is_set():
                name = f"m{self.round}-{number}-{count}"
                try:
                    if not self._merge(client, folder, name, METHODS[(self.round + number + count) % len(METHODS)]):
                        return
                except httpx.HTTPError:
                    return
                count += 1

    def violations(self) -> list[str]:
        """What a dead hub has swapped and not written down is settled by whoever looks."""
        found = []
        with httpx.Client(auth=self.stage.auth, timeout=120) as client:
            for name, number in self.opened.items():
                pull = client.get(self._url(f"pulls/{number}")).raise_for_status().json()
                times = added(self.stage).count(name)
                if times > 1:
                    found.append(f"#{number} is in the base {times} times")
                if bool(times) != bool(pull["merged"]):
                    found.append(f"#{number} is {pull['state']}, merged: {pull['merged']}, in the base: {bool(times)}")
                if name in self.merged and not times:
                    found.append(f"#{number} was acknowledged and is not in the base")
        return found + damaged(self.stage.path)

    def _merge(self, client: httpx.Client, folder: Any, name: str, method: str) -> bool:
        """False once the hub is gone."""
        git("switch", "-q", "-C", name, "origin/main", folder=folder)
        (folder / name).write_text(name)
        git("add", name, folder=folder)
        git("commit", "-q", "-m", name, folder=folder)
        if git("push", "-q", self.remote, f"HEAD:refs/heads/{name}", folder=folder, check=False).returncode:
            return False
        asked = {"title": name, "head": name, "base": "main"}
        self.opened[name] = client.post(self._url("pulls"), json=asked).raise_for_status().json()["number"]
        number = self.opened[name]
        answer = client.put(self._url(f"pulls/{number}/merge"), json={"merge_method": method})
        if answer.status_code == 200:
            self.merged.add(name)
            self.acknowledge()
        return True

    def _url(self, path: str) -> str:
        return f"{self.stage.hub.url}/api/v1/repos/{self.stage.name}/{path}"


def added(stage: Stage) -> list[str]:
    """Each time that a file was added on the base's own line."""
    listed = git(
        *("log", "--first-parent", "--diff-merges=first-parent", "--diff-filter=A", "--name-only", "--format=", "main"),
        folder=stage.path,
    )
    return listed.stdout.split()
