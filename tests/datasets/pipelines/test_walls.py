"""Resolving and drawing happen in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import sys, django
django.setup()
import hub.urls, datasets.stages.jobs
print(sorted({name.split(".")[0] for name in sys.modules} & {"dvc", "grandalf", "voluptuous", "configobj", "dpath"}))
"""


def test_the_web_process_loads_neither_dvc_nor_grandalf(tmp_path):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "hub.settings", "COVEY_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip().splitlines()[-1:] == ["[]"], done.stderr
