"""The table as a file: every run that the address shows, on all its pages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, JsonResponse

from experiments import listing, shapes
from experiments.listing import Query
from experiments.runs import Run
from experiments.table.columns import parse, parsed
from hub.lib.errors import Invalid
from repos.models import Repository


def answer(repository: Repository, query: Query, wanted: str, *, headers: dict[str, str]) -> HttpResponse:
    """wanted: csv, json or parquet. Raises Invalid for another format."""
    if wanted not in {"csv", "json", "parquet"}:
        raise Invalid(f"There is no format {wanted[:20]!r}.", details="Ask for format=csv, parquet or json.")
    named = query.columns if query.columns is not None else tuple(listing.page(query).columns)
    columns = tuple(name for name in named if (column := parse(name)) and column.kind != "attributes")
    headers = {**headers, "Content-Disposition": f'attachment; filename="{repository.name}-runs.{wanted}"'}
    found = listing.exported(replace(query, columns=columns))
    if wanted == "csv":
        return HttpResponse(shapes.table(found, columns), content_type="text/csv; charset=utf-8", headers=headers)
    if wanted == "parquet":
        return HttpResponse(
            parquet(list(found), columns), content_type="application/vnd.apache.parquet", headers=headers
        )
    return JsonResponse({"columns": columns, "runs": [shapes.run(row) for row in found]}, headers=headers)


def parquet(runs: Sequence[Run], names: Sequence[str]) -> bytes:
    """Metrics as doubles (NaN and infinities as they are), params and tags as texts, times in UTC."""
    import pyarrow  # 60 MB of memory: only for who asks
    from pyarrow import parquet as format

    kinds: dict[str, Any] = {
        "start": pyarrow.timestamp("ms", tz="UTC"), "duration_seconds": pyarrow.float64(),
    }  # fmt: skip
    columns: dict[str, Any] = (
        {
            name: pyarrow.array(values, kinds.get(name, pyarrow.string()))
            for name, values in zip(shapes.ALWAYS, zip(*map(shapes.attributes, runs), strict=True), strict=True)
        }
        if runs
        else {name: pyarrow.array([], kinds.get(name, pyarrow.string())) for name in shapes.ALWAYS}
    )
    for column in parsed(names):
        kind = pyarrow.float64() if column.kind == "metrics" else pyarrow.string()
        columns[column.name] = pyarrow.array([shapes.cell(run, column.name) for run in runs], kind)
    out = io.BytesIO()
    format.write_table(pyarrow.table(columns), out, compression="zstd")
    return out.getvalue()
