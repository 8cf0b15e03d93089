"""Train the counter and log it to MLflow: python src/train.py --optimizer adam

How many birds are in a sighting is Poisson, with the rate exp(weights · colour + bias); colour is the mean red, green
and blue of the pictures of its species, between 0 and 1.
"""

import argparse
import csv
import io
import json
import math
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml
from PIL import Image, ImageStat

STEPS = 3  # of each epoch
CLOSE = 4  # birds; what is nearer counts as right
DARKER = 0.9
Steps = Generator[list[float], list[float], None]


@dataclass
class Parameters:
    lr: float
    epochs: int
    weight_decay: float
    augment: bool


@dataclass
class Species:
    colour: list[float]  # red, green, blue, and 1 for the bias
    counts: list[int]  # of its sightings


def poisson_loss(rate: float, count: int) -> float:
    """Negative log-likelihood of a count under a Poisson rate."""
    return rate - count * math.log(rate) + math.lgamma(count + 1)


def colours(pictures: Iterable[tuple[str, Path | IO[bytes]]]) -> dict[str, list[float]]:
    """The mean colour of each species, of (species, picture)."""
    seen: dict[str, list[list[float]]] = {}
    for species, picture in pictures:
        seen.setdefault(species, []).append(ImageStat.Stat(Image.open(picture).convert("RGB")).mean)
    return {species: [sum(part) / len(found) / 255 for part in zip(*found)] for species, found in seen.items()}


def sightings(table: str, colour: dict[str, list[float]]) -> tuple[list[Species], list[Species]]:
    """To learn from, and every fifth to ask afterwards. A species without pictures (a misspelt one) is left out."""
    parts = [[Species([*rgb, 1.0], []) for rgb in colour.values()] for _ in range(2)]
    known = {species: number for number, species in enumerate(colour)}
    for row in csv.DictReader(io.StringIO(table)):
        if row["species"] in known:
            parts[int(row["id"]) % 5 == 0][known[row["species"]]].counts.append(int(row["count"]))
    return parts[0], parts[1]


def rate(weights: list[float], colour: list[float]) -> float:
    return math.exp(sum(weight * part for weight, part in zip(weights, colour)))


def gradient(weights: list[float], learned: list[Species], decay: float) -> list[float]:
    rows = sum(len(one.counts) for one in learned)
    found = [decay * weight for weight in weights]
    for one in learned:
        off = (len(one.counts) * rate(weights, one.colour) - sum(one.counts)) / rows
        found = [so_far + off * part for so_far, part in zip(found, one.colour)]
    return found


def adam(lr: float) -> Steps:
    """Send it gradients, it gives steps: first and second moments, corrected for their beginning at 0."""
    first, second, time = [0.0] * 4, [0.0] * 4, 0
    slopes = yield []
    while True:
        time += 1
        first = [0.9 * old + 0.1 * new for old, new in zip(first, slopes)]
        second = [0.999 * old + 0.001 * new * new for old, new in zip(second, slopes)]
        scale = math.sqrt(1 - 0.999**time) / (1 - 0.9**time)
        slopes = yield [-lr * scale * one / (math.sqrt(two) + 1e-8) for one, two in zip(first, second)]


def lion(lr: float) -> Steps:
    """The same; the sign of the momentum only, a third of the rate."""
    momentum = [0.0] * 4
    slopes = yield []
    while True:
        ahead = [0.9 * old + 0.1 * new for old, new in zip(momentum, slopes)]
        momentum = [0.99 * old + 0.01 * new for old, new in zip(momentum, slopes)]
        slopes = yield [-lr / 3 * ((one > 0) - (one < 0)) for one in ahead]


OPTIMIZERS = {"adam": adam, "lion": lion}


def scores(weights: list[float], asked: list[Species]) -> dict[str, float]:
    pairs = [(rate(weights, one.colour), count) for one in asked for count in one.counts]
    return {
        "val_acc": sum(abs(expected - count) <= CLOSE for expected, count in pairs) / len(pairs),
        "val_loss": sum(poisson_loss(expected, count) for expected, count in pairs) / len(pairs),
        "mae": sum(abs(expected - count) for expected, count in pairs) / len(pairs),
    }


def fit(table: str, colour: dict[str, list[float]], optimizer: str, parameters: Parameters) -> Iterator[dict[str, Any]]:
    """The model after each epoch, with its scores."""
    learned, asked = sightings(table, colour)
    if parameters.augment:  # a hillside in the shade
        learned += [Species([*(part * DARKER for part in one.colour[:3]), 1.0], one.counts) for one in learned]
    weights, steps = [0.0] * 4, OPTIMIZERS[optimizer](parameters.lr)
    next(steps)
    for epoch in range(1, parameters.epochs + 1):
        for _ in range(STEPS):
            step = steps.send(gradient(weights, learned, parameters.weight_decay))
            weights = [weight + change for weight, change in zip(weights, step)]
        told = {name: round(value, 4) for name, value in scores(weights, asked).items()}
        rounded = [round(weight, 6) for weight in weights]
        yield {"optimizer": optimizer, "epochs": epoch, "weights": rounded[:3], "bias": rounded[3], **told}


def written(model: dict[str, Any]) -> str:
    return json.dumps(model, indent=2) + "\n"


def main() -> None:
    import mlflow  # here: what is learned does not need it

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--optimizer", choices=sorted(OPTIMIZERS), required=True)
    optimizer = arguments.parse_args().optimizer
    parameters = Parameters(**yaml.safe_load(Path("params.yaml").read_text())["train"])
    colour = colours((path.parent.name, path) for path in sorted(Path("data/images").glob("*/*.png")))
    mlflow.set_experiment("counting")
    with mlflow.start_run(run_name=optimizer):
        mlflow.log_params({"optimizer": optimizer, **vars(parameters)})
        for model in fit(Path("data/clean.csv").read_text(), colour, optimizer, parameters):
            told = {name: model[name] for name in ("val_acc", "val_loss", "mae")}
            mlflow.log_metrics(told, step=model["epochs"])
    Path("models").mkdir(exist_ok=True)
    Path(f"models/{optimizer}.json").write_text(written(model))


if __name__ == "__main__":
    main()
