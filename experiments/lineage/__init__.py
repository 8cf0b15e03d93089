"""Lineage both ways: which data and stages a commit, a run or a model version was made from, and what used them.

From git (dvc.lock, .dvc) by indexes of immutable ids, and from MLflow's tables; nobody's code has to say anything.
May import: datasets, repos, the rest of experiments but its views.
"""
