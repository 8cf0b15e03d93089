"""Everything MLflow: the server mounted per repository, runs tables and run pages.

Owns: experiments.mlflow (the only code that imports mlflow, lazily), our own SQL over MLflow's tables, its pages.
May import: datasets, repos, hub.accounts, hub.jobs, hub.lib.
"""
