"""Python that asks MLflow for what a comparison shows, with MLflow's own client: to copy into a notebook."""

from __future__ import annotations

import json

from django.conf import settings

from experiments.comparison import Comparison

MOST_KEYS = 20  # of metrics and params each that are named; others can be added to the lists
_CODE = """\
import mlflow

# MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: you, and an access token
wanted = {wanted}
metrics = {metrics}
params = {params}
baseline = {baseline}

runs = {{}}
for uri, ids in wanted.items():
    client = mlflow.MlflowClient(tracking_uri=uri)
    runs |= {{run_id: client.get_run(run_id).data for run_id in ids}}
    # client.get_metric_history(run_id, key) has every point of a curve

rows = []
for run_id, data in runs.items():
    row = {{"run_id": run_id}}
    row |= {{f"metrics.{{key}}": data.metrics.get(key) for key in metrics}}
    row |= {{f"params.{{key}}": data.params.get(key) for key in params}}
    if baseline in runs and run_id != baseline:
        base = runs[baseline].metrics
        both = [key for key in metrics if key in data.metrics and key in base]
        row |= {{f"delta.{{key}}": data.metrics[key] - base[key] for key in both}}
    rows.append(row)
    print(row)
"""


def comparison(found: Comparison) -> str:
    """The numbers of the page: metrics and params of its runs, and how far the metrics are from the baseline."""
    runs: dict[str, list[str]] = {}
    for row in found.picked.rows:
        whose = found.picked.repository(row).full_name
        runs.setdefault(f"{settings.COVEY_URL}/{whose}.mlflow", []).append(row.run_uuid)
    return _CODE.format(
        wanted=_literal(runs),
        metrics=_literal(found.names["metrics"][:MOST_KEYS]),
        params=_literal(found.names["params"][:MOST_KEYS]),
        baseline=_literal(found.baseline.run_id) if found.baseline else None,
    )


def _literal(value: object) -> str:
    """Texts, lists of them and mappings to such, as Python reads them: JSON that keeps every letter is Python, too."""
    return json.dumps(value, ensure_ascii=False, indent=4 if isinstance(value, dict) else None)
