"""Where bytes wait before they are accepted: under COVEY_HOME, so that a small /tmp never limits an upload."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

from django.conf import settings


def root() -> Path:
    """The folder of all temporary files, made when missing. What a killed hub leaves there is tidied by a task."""
    folder: Path = settings.TMP_ROOT
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def new_folder(prefix: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=prefix, dir=root()))


def new_file() -> IO[bytes]:
    """Without a name: it is gone with its last descriptor."""
    return tempfile.TemporaryFile(dir=root())
