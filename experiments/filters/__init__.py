"""The filter language of the runs table: `metrics.val_acc > 0.9 and (params.opt in ("adam", "lion") or tags.team = x)`.

tokens → parser → syntax (a tree) → sql (a condition with bound parameters, SQLite and PostgreSQL).
MLflow's own filter strings are in the language. What a run does not have fails every comparison, so a filter is
always true or false of a run: `not params.lr > 1` keeps runs without lr, `params.lr <= 1` does not.
May import: hub.lib, experiments.database.
"""
