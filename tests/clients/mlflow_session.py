"""What a person does with the mlflow client, run inside the client's own environment. Prints JSON lines of facts.

Reads MLFLOW_TRACKING_URI, _USERNAME and _PASSWORD as every MLflow program does; argument: a scratch folder.
"""

import hashlib
import json
import os
import sys

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

scratch = sys.argv[1]
facts = {"version": mlflow.__version__}
client = MlflowClient()

with mlflow.start_run(run_name="outer") as outer:  # no set_experiment: experiment "0"
    mlflow.log_param("lr", 0.1)
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"acc": 0.9, "nan": float("nan")})
    mlflow.set_tag("team", "vision")
    mlflow.log_text("hello", "notes/a.txt")
    with mlflow.start_run(nested=True, run_name="inner") as inner:
        mlflow.log_metric("x", 1.0)
    big = os.path.join(scratch, "big.bin")
    with open(big, "wb") as file:
        for _ in range(100):
            file.write(os.urandom(1 << 20))
    mlflow.log_artifact(big, "weights")
run_id = outer.info.run_id

batch = [Metric("curve", float(i), 1_700_000_000_000 + i, i) for i in range(900)]
for _ in range(2):  # as a client that lost the answer would
    client.log_batch(run_id, metrics=batch, params=[Param("depth", "3")], tags=[RunTag("b", "1")])
got = client.get_run(run_id)
facts["metrics"] = {k: str(v) for k, v in got.data.metrics.items()}
facts["params"], facts["user"] = got.data.params, got.data.tags["mlflow.user"]
facts["curve"] = len(client.get_metric_history(run_id, "curve"))
facts["experiment"] = client.get_experiment(got.info.experiment_id).name
facts["parent"] = client.get_run(inner.info.run_id).data.tags["mlflow.parentRunId"] == run_id
facts["files"] = sorted(f.path for f in client.list_artifacts(run_id))


def digest(path):
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


back = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="weights/big.bin", dst_path=scratch + "/back")
facts["same"] = digest(back) == digest(big)

mlflow.set_experiment("named")
with mlflow.start_run(run_name="second"):
    mlflow.log_metric("acc", 0.5)
named = client.get_experiment_by_name("named").experiment_id
facts["search"] = [
    r.info.run_name for r in client.search_runs([named], "metrics.acc < 0.6", order_by=["metrics.acc DESC"])
]

client.create_registered_model("model")
version = client.create_model_version("model", f"{got.info.artifact_uri}/weights", run_id)
client.set_registered_model_alias("model", "best", version.version)
facts["alias"] = client.get_model_version_by_alias("model", "best").run_id == run_id

if mlflow.__version__.startswith("3"):
    logged = mlflow.initialize_logged_model(name="net")
    mlflow.finalize_logged_model(logged.model_id, "READY")
    client.log_metric(run_id, "scored", 1.0, model_id=logged.model_id)
    facts["logged_model"] = mlflow.get_logged_model(logged.model_id).name
    with mlflow.start_span("root") as span:
        span.set_inputs({"q": 1})
    mlflow.flush_trace_async_logging()
    facts["traces"] = len(client.search_traces(locations=[named]))

errors = {}
for name, call in {
    "absent": lambda: client.get_run("0" * 32),
    "param": lambda: client.log_param(run_id, "lr", 0.2),
    "place": lambda: client.create_experiment("evil", artifact_location="file:///etc"),
}.items():
    try:
        call()
        errors[name] = ""
    except Exception as error:
        errors[name] = str(error)
facts["errors"] = errors
print("FACTS " + json.dumps(facts))
