"""Files uploaded over the API when the web process is killed: each lands whole with its commit, or not at all."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from hashlib import sha256

import httpx

from tests.support.crashes import Stage, Work, begin, damaged, git

SIZES = (1, 5_000, 400_000, 3_000_000, 12_000_000)
VERSIONINGS = ("git", "dvc", "auto")


@dataclass
class _Sent:
    folder: str
    files: dict[str, bytes]
    versioning: str
    whole: bool
    commit: str = ""  # what the hub answered


class FileUploads(Work):
    """Three writers on one branch; each upload makes files of its own, kept by git, by DVC or as the hub chooses."""

    count = 3

    def __init__(self, stage: Stage, round_number: int) -> None:
        super().__init__(stage, round_number)
        self.sent: list[_Sent] = []
        begin(stage)

    def work(self, number: int) -> None:
        chance = random.Random(self.round * 100 + number)
        with httpx.Client(auth=self.stage.auth, timeout=120) as client:
            while not self.down.is_set():
                one = self._made(chance, f"u{self.round}-{number}-{len(self.sent)}")
                self.sent.append(one)
                try:
                    answer = self._send(client, one)
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    one.commit = answer.json()["commit"]
                    self.acknowledge()

    def violations(self) -> list[str]:
        found = []
        with httpx.Client(auth=self.stage.auth, timeout=120) as client:
            for one in self.sent:
                found += self._of(client, one)
                again = self._send(client, one)  # as a client does whose answer was lost
                if again.status_code not in ({204} if one.commit else {200, 204}):
                    found.append(f"{one.folder} sent again: {again.status_code} {again.text[:200]}")
                found += [f"again: {wrong}" for wrong in self._of(client, one, must=True)]
        found += damaged(self.stage.path)
        return found

    def _of(self, client: httpx.Client, one: _Sent, *, must: bool = False) -> list[str]:
        """Acknowledged: its commit is in the branch and every file comes back. Else: all of them, or none."""
        states, found = set(), []
        if (
            one.commit
            and git("merge-base", "--is-ancestor", one.commit, "main", folder=self.stage.path, check=False).returncode
        ):
            found.append(f"{one.folder}: acknowledged {one.commit} is not in main")
        for name, data in one.files.items():
            answer = client.get(f"{self.stage.address}/raw/main/{one.folder}/{name}", follow_redirects=True)
            whole = answer.status_code == 200 and sha256(answer.content).digest() == sha256(data).digest()
            pointed = self._named(f"{one.folder}/{name}", one)
            if whole != pointed:
                found.append(
                    f"{one.folder}/{name} ({one.versioning}): named {pointed}, {answer.status_code}, whole {whole}"
                )
            states.add(whole)
        if len(states) > 1 or ((must or one.commit) and states != {True}):
            found.append(f"{one.folder} ({one.versioning}, acknowledged {one.commit!r}): there in part: {states}")
        return found

    def _named(self, path: str, one: _Sent) -> bool:
        """Whether git's tree holds the file or something that points to it."""
        places = (path, f"{path}.dvc", f"{one.folder}.dvc")
        return any(
            not git("cat-file", "-e", f"main:{place}", folder=self.stage.path, check=False).returncode
            for place in places
        )

    def _made(self, chance: random.Random, folder: str) -> _Sent:
        files = {f"f{n}": os.urandom(chance.choice(SIZES)) for n in range(chance.choice((1, 1, 3)))}
        versioning = chance.choice(VERSIONINGS)
        return _Sent(folder, files, versioning, whole=versioning == "dvc" and chance.random() < 0.5)

    def _send(self, client: httpx.Client, one: _Sent) -> httpx.Response:
        fields = {"commit_choice": "direct", "versioning": one.versioning, "is_dvc_dir": str(one.whole).lower()}
        files = [("files", (name, data)) for name, data in one.files.items()]
        url = f"{self.stage.hub.url}/api/v1/repos/{self.stage.name}/content/main/{one.folder}"
        return client.put(url, data=fields, files=files)
