"""DVC's own tests of a remote (dvc.testing), against both of a repository's: run by test_dvc_testing.py in DVC's
environment, never collected here. HUB_URL, HUB_USER and HUB_TOKEN come from there."""

from __future__ import annotations

import itertools
import json
import os
import urllib.request

import pytest
from dvc.testing.fixtures import *  # noqa: F403
from dvc.testing.remote_tests import TestRemote  # noqa: F401

HUB, USER, TOKEN = (os.environ[name] for name in ("HUB_URL", "HUB_USER", "HUB_TOKEN"))
_numbers = itertools.count()


class Remote:
    """What the tests need to know of a remote."""

    def __init__(self, scheme: str, config: dict[str, str]) -> None:
        self.scheme, self.config = scheme, config


@pytest.fixture(params=["http", "s3"])
def remote(request, tmp_dir, dvc):
    name = f"{request.param}-{next(_numbers)}"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    ask = urllib.request.Request(f"{HUB}/api/v1/user/repos", json.dumps({"name": name}).encode(), headers)
    urllib.request.urlopen(ask, timeout=60).close()
    address = f"{HUB}/{USER}/{name}"
    if request.param == "http":
        config = {"url": f"{address}.dvc", "auth": "basic", "user": USER, "password": TOKEN}
    else:
        keys = {"access_key_id": TOKEN, "secret_access_key": TOKEN, "region": "us-east-1"}
        config = {"url": "s3://dvc", "endpointurl": f"{address}.s3", **keys}
    tmp_dir.add_remote(name="upstream", config=config)
    return Remote(request.param, config)
