"""What a child leaves behind in a session of its own is ended by the supervisor."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A child that starts a sleep as the hub starts git, says its id and dies; another child that must live.
SCRIPT = """
import os, subprocess, sys
from hub import orphans
orphans.adopt()
kept = subprocess.Popen(["sleep", "60"])
options = "start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
start = f"import subprocess; print(subprocess.Popen(['sleep', '600'], {options}).pid)"
left = int(subprocess.run([sys.executable, "-c", start], capture_output=True, check=True).stdout)
found = list(orphans._adopted({kept.pid}))
orphans.end({kept.pid})
os.waitid(os.P_PID, left, os.WEXITED | os.WNOWAIT)  # ended, and not taken from the table of processes yet
orphans.reap({kept.pid})
print(found == [left], list(orphans._adopted({kept.pid})), kept.poll())
kept.kill()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no subreaper")
def test_what_loses_its_parent_is_adopted_and_ended() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["True", "[]", "None"], done.stderr
