"""The demo's 40 runs: a small search with curves, two failures and one that still goes on."""

from __future__ import annotations

import math
import random

from experiments.mlflow.recording import Recorded

RUNS, EPOCHS = 40, 60
MINUTE = 60_000  # milliseconds


def search(commits: list[str], *, end: int) -> list[Recorded]:
    """Forty runs that ended before `end` (milliseconds since 1970), spread over these commits."""
    chance = random.Random(40)
    return [_run(number, chance, commits, end=end) for number in range(RUNS)]


def _run(number: int, chance: random.Random, commits: list[str], *, end: int) -> Recorded:
    lr = chance.choice((0.0003, 0.001, 0.003, 0.01, 0.03))
    optimizer = chance.choice(("adam", "sgd", "lion"))
    decay, augment = chance.choice((0.0, 0.0001, 0.001)), chance.random() < 0.6
    quality = 0.90 - 0.05 * abs(math.log10(lr / 0.003)) - 0.02 * (optimizer == "sgd") + 0.02 * augment
    status = "FAILED" if number in {11, 27} else "RUNNING" if number == RUNS - 1 else "FINISHED"
    epochs = {"FAILED": 9, "RUNNING": 23}.get(status, EPOCHS)
    started = end - (RUNS - number) * 95 * MINUTE
    return Recorded(
        name=f"{optimizer}-{number:02d}",
        status=status,
        started=started,
        ended=None if status == "RUNNING" else started + epochs * MINUTE,
        params={
            "lr": str(lr),
            "optimizer": optimizer,
            "weight_decay": str(decay),
            "augment": str(augment),
            "epochs": str(EPOCHS),
            "seed": str(number % 4),
        },
        metrics=_curves(chance, quality, epochs, started, diverges=status == "FAILED"),
        tags={
            "mlflow.source.git.commit": commits[number * len(commits) // RUNS],
            "mlflow.source.name": "src/train.py",
            "team": chance.choice(("field", "vision")),
        },
    )


def _curves(
    chance: random.Random, quality: float, epochs: int, started: int, *, diverges: bool
) -> dict[str, list[tuple[int, int, float]]]:
    curves: dict[str, list[tuple[int, int, float]]] = {"train_loss": [], "val_loss": [], "val_acc": [], "mae": []}
    for epoch in range(epochs):
        time, progress = started + epoch * MINUTE, 1 - math.exp(-epoch / 12)
        noise = chance.gauss(0, 0.008)
        loss = 1.6 - 1.25 * quality * progress + (0.4 * math.exp(epoch / 4) if diverges else 0)
        values = {
            "train_loss": loss + noise,
            "val_loss": loss * 1.06 + 2 * noise,
            "val_acc": max(0.0, 0.25 + (quality - 0.25) * progress + noise - (0.05 * epoch if diverges else 0)),
            "mae": 2.4 - 1.9 * quality * progress - 2 * noise,
        }
        for key, value in values.items():
            curves[key].append((time, epoch, round(value, 5)))
    return curves
