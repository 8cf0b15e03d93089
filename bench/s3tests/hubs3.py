"""A pytest plug-in (`-p hubs3`) that points ceph's s3-tests at a hub.

Buckets are repositories of HUB_OWNER, at DagsHub's form of the endpoint. The suite makes buckets of free names: here
each is a repository that the API makes first, and the suite's own cleaning is the deletion of those.
"""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

from s3tests import functional

HUB, OWNER, TOKEN = (os.environ[name] for name in ("HUB_URL", "HUB_OWNER", "HUB_TOKEN"))
made: list[str] = []
_configure, _new_name = functional.configure, functional.get_new_bucket_name


def call(method: str, path: str, body: Any = None) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{HUB}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def configure() -> None:
    _configure()
    functional.config.default_endpoint = f"{HUB}/api/v1/repo-buckets/s3/{OWNER}"


def get_new_bucket_name() -> str:
    name = str(_new_name())
    call("POST", "/user/repos", {"name": name, "private": True})
    made.append(name)
    return name


def remove_buckets(*_: Any, **__: Any) -> None:
    while made:
        call("DELETE", f"/repos/{OWNER}/{made.pop()}")


functional.configure, functional.get_new_bucket_name = configure, get_new_bucket_name
functional.nuke_prefixed_buckets = remove_buckets
functional.setup, functional.teardown = (lambda: None), remove_buckets
