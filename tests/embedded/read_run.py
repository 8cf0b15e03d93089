"""Read a run back with the mlflow client: arguments are the run's id and a folder for its artifact. Prints JSON."""

import json
import sys
from pathlib import Path

import mlflow
from mlflow import MlflowClient

run_id, folder = sys.argv[1:]
client = MlflowClient()
run = client.get_run(run_id)
crust = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="notes/crust.txt", dst_path=folder)
facts = {
    "name": run.info.run_name,
    "status": run.info.status,
    "user": run.data.tags["mlflow.user"],
    "params": run.data.params,
    "loss": [[m.step, m.value] for m in client.get_metric_history(run_id, "loss")],
    "crust": Path(crust).read_text(),
}
print("FACTS " + json.dumps(facts))
