"""A repository of a hub as S3 programs see it, and those programs in an environment of their own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import clients
from tests.support.hub import ROOT

SESSION = ROOT / "tests" / "clients" / "s3_session.py"


@dataclass
class Repository:
    """One of sue's; key and secret as her S3 programs have them."""

    hub: str
    token: str
    name: str
    key: str
    secret: str
    certificate: str = ""

    def run(self, what: str, folder: Path) -> str:
        """s3_session.py in the clients' environment; what it printed."""
        python = clients.environment("s3") / "python"
        arguments = [self.hub, "sue", self.name, self.key, self.secret, what]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
        if self.certificate:
            environment |= {"AWS_CA_BUNDLE": self.certificate, "SSL_CERT_FILE": self.certificate}
        done = subprocess.run(
            [python, str(SESSION), *arguments], cwd=folder, env=environment, text=True, capture_output=True, timeout=240
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
