"""Python that asks MLflow for what a comparison shows, with MLflow's own client: to copy into a notebook."""

from __future__ import annotations

import json

from django.conf import settings

from experiments.comparison import Comparison

MOST_KEYS = 20  # of metrics and params each that are named; the code shows how to add others


def comparison(found: Comparison) -> str:
    """The numbers of the page: metrics and params of its runs, and how far the metrics are from the baseline."""
    runs: dict[str, list[str]] = {}
    for row in found.picked.rows:
        runs.setdefault(f"{settings.COVEY_URL}/{found.picked.repository(row).full_name}.mlflow", []).append(
            row.run_uuid
        )
    lines = [
        "import mlflow",
        "",
        "# MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: you, and an access token",
        f"wanted = {_literal(runs)}",
        f"metrics = {_literal(found.names['metrics'][:MOST_KEYS])}",
        f"params = {_literal(found.names['params'][:MOST_KEYS])}",
        f"baseline = {_literal(found.baseline.run_id) if found.baseline else None}",
        "",
        "runs = {}",
        "for uri, ids in wanted.items():",
        "    client = mlflow.MlflowClient(tracking_uri=uri)",
        "    runs |= {run_id: client.get_run(run_id).data for run_id in ids}",
        "",
        "for run_id, data in runs.items():",
        "    values = {key: data.metrics.get(key) for key in metrics}",
        "    print(run_id, values, {key: data.params.get(key) for key in params})",
        "    if baseline in runs and run_id != baseline:",
        "        base = runs[baseline].metrics",
        "        more = {k: v - base[k] for k, v in values.items() if v is not None and k in base}",
        '        print("  from the baseline:", more)',
    ]
    return "\n".join(lines)


def _literal(value: object) -> str:
    """A value as Python writes it; JSON's texts and lists are Python's too."""
    return json.dumps(value, indent=4 if isinstance(value, dict) else None)
