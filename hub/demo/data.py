"""The demo's data: a table of observations and pictures of birds, the same bytes each time."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta

from PIL import Image, ImageDraw

SPECIES = ("grouse", "partridge", "quail", "ptarmigan")
COLOURS = {
    "grouse": (121, 85, 61),
    "partridge": (176, 137, 104),
    "quail": (201, 173, 120),
    "ptarmigan": (222, 224, 226),
}
ROWS, IMAGES = 2_000, 60


def observations(*, clean: bool) -> bytes:
    """A CSV of 2,000 sightings; clean: misspelt labels mended, impossible rows dropped."""
    chance = random.Random(2026)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "date", "site", "species", "count", "temperature_c", "wind_ms", "observer"])
    for number in range(1, ROWS + 1):
        day = date(2025, 3, 1) + timedelta(days=chance.randrange(420))
        species = chance.choices(SPECIES, weights=(5, 3, 2, 1))[0]
        count = max(1, round(chance.lognormvariate(1.6, 0.7)))
        temperature = round(chance.gauss(8, 7), 1) + 0.0  # no -0.0
        wind = round(abs(chance.gauss(4, 2)), 1)
        site, observer = f"site-{chance.randrange(12):02d}", chance.choice(("maya", "tomas", "ines"))
        wrong, impossible = chance.random() < 0.02, chance.random() < 0.006
        if clean and impossible:
            continue
        if wrong and not clean:
            species = {"quail": "quale", "grouse": "grouze"}.get(species, species.upper())
        if impossible:
            temperature = 999.0
        writer.writerow([number, day, site, species, count, temperature, wind, observer])
    return out.getvalue().encode()


def images() -> dict[str, bytes]:
    """relpath → PNG of a few birds on the ground, 96 by 96 pixels."""
    chance = random.Random(7)
    made = {}
    for number in range(IMAGES):
        species = SPECIES[number % len(SPECIES)]
        picture = Image.new("RGB", (96, 96), (96 + chance.randrange(40), 130 + chance.randrange(30), 84))
        draw = ImageDraw.Draw(picture)
        for _ in range(1 + chance.randrange(5)):
            x, y, size = chance.randrange(10, 74), chance.randrange(20, 74), chance.randrange(8, 16)
            draw.ellipse((x, y, x + size * 1.6, y + size), fill=COLOURS[species])
            draw.ellipse((x + size * 1.3, y - size * 0.4, x + size * 1.9, y + size * 0.2), fill=COLOURS[species])
        made[f"{species}/{number:03d}.png"] = _png(picture)
    return made


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
