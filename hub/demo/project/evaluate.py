"""Compare the models on the sightings that none of them has seen; the scores of the best go to metrics.json."""

import json
from collections.abc import Iterable
from pathlib import Path


def scores(models: Iterable[str]) -> str:
    best = min((json.loads(model) for model in models), key=lambda model: model["val_loss"])
    return json.dumps({name: best[name] for name in ("val_acc", "val_loss", "mae")}, indent=2) + "\n"


if __name__ == "__main__":
    Path("metrics.json").write_text(scores(path.read_text() for path in sorted(Path("models").glob("*.json"))))
