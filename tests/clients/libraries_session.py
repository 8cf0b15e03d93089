"""What people's training scripts do, run as train.py of a clone, inside the libraries' own environment.

Reads MLFLOW_TRACKING_URI, _USERNAME and _PASSWORD as every MLflow program does. Prints a line of JSON: name → run.
"""

import json

import dvclive
import lightgbm
import mlflow
import numpy as np
from sklearn.linear_model import LogisticRegression

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(200, 4))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)


def with_sklearn():
    """Autologging alone: no other line about MLflow. The model comes back as it went."""
    mlflow.set_experiment("sklearn")
    mlflow.sklearn.autolog()
    model = LogisticRegression(max_iter=50, C=0.5).fit(X, Y)
    mlflow.sklearn.autolog(disable=True)
    run = mlflow.last_active_run()
    (made,) = run.outputs.model_outputs
    back = mlflow.sklearn.load_model(f"models:/{made.model_id}")
    assert (back.predict(X) == model.predict(X)).all()
    return run


def with_lightgbm():
    """Its autologging gives each round's metric: a curve."""
    mlflow.set_experiment("lightgbm")
    mlflow.lightgbm.autolog(log_models=False)
    training, testing = lightgbm.Dataset(X[:150], Y[:150]), lightgbm.Dataset(X[150:], Y[150:])
    options = {"objective": "binary", "metric": "binary_logloss", "num_leaves": 4, "verbosity": -1, "num_threads": 1}
    with mlflow.start_run(run_name="boosted") as run:
        mlflow.set_tag("team", "trees")
        lightgbm.train(options, training, num_boost_round=12, valid_sets=[testing], valid_names=["held"])
    mlflow.lightgbm.autolog(disable=True)
    return mlflow.get_run(run.info.run_id)


def by_hand():
    """A loop as in PyTorch's examples: a metric per step, sent beside the training; a checkpoint at the end."""
    mlflow.set_experiment("loop")
    weights = np.zeros(4)
    with mlflow.start_run(run_name="by hand") as run:
        mlflow.log_params({"lr": 0.1, "optimizer": "sgd"})
        for step in range(60):
            guess = 1 / (1 + np.exp(-X @ weights))
            weights -= 0.1 * X.T @ (guess - Y) / len(Y)
            loss = float(-np.mean(Y * np.log(guess) + (1 - Y) * np.log(1 - guess)))
            mlflow.log_metric("loss", loss, step=step, synchronous=False)
        mlflow.flush_async_logging()
        mlflow.log_dict({"weights": weights.tolist()}, "checkpoints/last.json")
    return mlflow.get_run(run.info.run_id)


def with_dvclive():
    """Files only: metrics.json, params.yaml, plots and the dvc.yaml that names them."""
    with dvclive.Live(save_dvc_exp=False) as live:
        live.log_params({"lr": 0.25, "optimizer": "sgd"})
        for step in range(5):
            live.log_metric("live_loss", 1 / (step + 1))
            live.next_step()
        live.summary["best"] = 0.125


runs = {"sklearn": with_sklearn(), "lightgbm": with_lightgbm(), "loop": by_hand()}
with_dvclive()
facts = {
    name: {"id": run.info.run_id, "name": run.info.run_name, **run.data.to_dictionary()} for name, run in runs.items()
}
print("FACTS " + json.dumps(facts))
