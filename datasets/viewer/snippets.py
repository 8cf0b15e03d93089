"""Lines of Python that read a table from this hub: pandas, polars, DuckDB. A token is named, never given."""

from __future__ import annotations

import json

from django.conf import settings

from datasets import formats
from repos.place import Place

TOKEN = "YOUR-TOKEN"
_PANDAS = {
    "csv": "read_csv(url{options})",
    "tsv": 'read_csv(url, sep="\\t"{options})',
    "jsonl": "read_json(url, lines=True{options})",
    # without pre_buffer=False pyarrow's threads abort one interpreter in ten as it exits (arrow#34314)
    "parquet": "read_parquet(url{options}, pre_buffer=False)",
    "arrow": "read_feather(url{options})",
}
_POLARS = {
    "csv": "read_csv(data)",
    "tsv": 'read_csv(data, separator="\\t")',
    "jsonl": "read_ndjson(data)",
    "parquet": "read_parquet(data)",
    "arrow": "read_ipc(data)",
}
_DUCKDB = {
    "csv": "read_csv('{name}')",
    "tsv": "read_csv('{name}', delim='\\t')",
    "jsonl": "read_json('{name}', format='newline_delimited')",
    "parquet": "read_parquet('{name}')",
}
_FORMATS = {
    **{"csv": "csv", "tsv": "tsv", "tab": "tsv", "jsonl": "jsonl", "ndjson": "jsonl"},
    **{"parquet": "parquet", "pq": "parquet", "arrow": "arrow", "feather": "arrow", "ipc": "arrow"},
}


def snippets(place: Place) -> list[tuple[str, str]]:
    """(library, code) for the table at a place, by the commit's id: the rows are always the same."""
    url = settings.COVEY_URL + place.pinned("raw")
    format, private = _FORMATS[formats.extension(place.path)], place.repository.private
    found = [("pandas", _pandas(url, format, private=private)), ("polars", _polars(url, format, private=private))]
    return [*found, ("DuckDB", _duckdb(url, format, private=private))] if format in _DUCKDB else found


def _pandas(url: str, format: str, *, private: bool) -> str:
    options = f', storage_options={{"Authorization": "Bearer {TOKEN}"}}' if private else ""
    return f"import pandas as pd\n\nurl = {_quoted(url)}\ndf = pd.{_PANDAS[format].format(options=options)}"


def _polars(url: str, format: str, *, private: bool) -> str:
    headers = f', headers={{"Authorization": "Bearer {TOKEN}"}}' if private else ""
    return (
        f"import io, urllib.request\nimport polars as pl\n\nurl = {_quoted(url)}\n"
        f"request = urllib.request.Request(url{headers})\n"
        f"data = io.BytesIO(urllib.request.urlopen(request).read())\ndf = pl.{_POLARS[format]}"
    )


def _duckdb(url: str, format: str, *, private: bool) -> str:
    """A copy first: DuckDB's own way to HTTP is an extension that has to be fetched, and fsspec's it does not take."""
    headers = f', headers={{"Authorization": "Bearer {TOKEN}"}}' if private else ""
    name = f"rows.{url.rsplit('.', 1)[-1]}"
    sql = _quoted("FROM " + _DUCKDB[format].format(name=name))
    return (
        f"import shutil, urllib.request\nimport duckdb\n\nurl = {_quoted(url)}\n"
        f"request = urllib.request.Request(url{headers})\n"
        f'with urllib.request.urlopen(request) as answer, open("{name}", "wb") as file:\n'
        f"    shutil.copyfileobj(answer, file)\nrows = duckdb.sql({sql})"
    )


def _quoted(text: str) -> str:
    """A string as Python and JSON write it alike."""
    return json.dumps(text)
