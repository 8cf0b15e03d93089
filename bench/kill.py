"""kill -9 during pushes, uploads, batches and merges, every invariant checked: `python -m bench.kill`.

--production runs on PostgreSQL, SeaweedFS and Redis. The exit code is 1 when anything acknowledged was lost or
anything was left half-done.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support import killing, services
from tests.support.killing import KINDS


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    options.add_argument("--production", action="store_true")
    chosen = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="bench-kill-"))
    os.chmod(home, 0o755)  # PostgreSQL runs as another person
    failed = False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the hub is stopped too
    try:
        if chosen.production:
            os.environ.update(services.production_environment(str(home)))
        with killing.stage(home / "stage", production=chosen.production) as stage:
            for kind in chosen.kinds:
                begun = time.monotonic()
                result = killing.rounds(stage, kind, chosen.rounds)
                restart = statistics.median(result.restart_seconds)
                print(
                    f"{kind}: {result.rounds} kills, {result.acknowledged} acknowledged writes, "
                    f"{len(result.violations)} violations; restart {restart:.1f} s (median), "
                    f"{(time.monotonic() - begun) / chosen.rounds:.1f} s a round",
                    *result.violations,
                    sep="\n  ",
                    flush=True,
                )
                wrong = killing.settled(stage)
                print(f"{kind}: afterwards {len(wrong)} wrong", *wrong[:50], sep="\n  ", flush=True)
                failed = failed or bool(result.violations or wrong)
    finally:
        services.stop_all()
        shutil.rmtree(home, ignore_errors=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
