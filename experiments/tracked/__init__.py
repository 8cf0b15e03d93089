"""Experiments that live in git: commits with DVC's metrics and params, DagsHub's files, refs/exps of `dvc exp push`.

Each becomes a run in MLflow's own tables, in one experiment that the hub owns, so that every page, filter and client
shows it beside the runs that were logged. Git is the truth: the runs can be made again at any time.
commits.py (what is there) → files.py (which files count) → values.py (what they say) → indexing.py (which runs).
"""
