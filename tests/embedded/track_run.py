"""What a person logs with the mlflow client: params, a metric's history, an artifact. Prints the run's id.

Reads MLFLOW_TRACKING_URI, _USERNAME and _PASSWORD as every MLflow program does.
"""

import mlflow

mlflow.set_experiment("bread")
with mlflow.start_run(run_name="first loaf") as run:
    mlflow.log_params({"lr": 0.01, "oven": "stone"})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("crust: golden\n", "notes/crust.txt")
print(f"RUN {run.info.run_id}")
