"""Keep the observations that can be true: data/observations.csv becomes data/clean.csv."""

import csv
import io
from pathlib import Path


def clean(observations: str) -> str:
    header, *rows = csv.reader(io.StringIO(observations))
    degrees = header.index("temperature_c")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([header, *(row for row in rows if -40 <= float(row[degrees]) <= 45)])
    return out.getvalue()


if __name__ == "__main__":
    Path("data/clean.csv").write_text(clean(Path("data/observations.csv").read_text()))
