"""Locked environments of outside clients, each apart from ours, with a working directory outside the tree."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("COVEY_CLIENTS", Path.home() / ".cache" / "covey-clients"))


def environment(name: str) -> Path:
    """The bin folder of the virtual environment with exactly requirements/clients-<name>.txt."""
    requirements = ROOT / "requirements" / f"clients-{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = CACHE / f"{name}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder, requirements)
            (folder / "complete").touch()
    return folder / "bin"


def _install(folder: Path, requirements: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert uv, "uv is not installed: run bin/test, which installs the test requirements"
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--no-deps", "--python", folder / "bin" / "python", "-r", requirements],
        check=True,
    )
