"""Registered models: read from MLflow's tables by our own SQL (reading.py), their files (files.py), changes.py.

Everything is kept to a workspace, so another repository's model of the same name is as if absent. Prompts, which
MLflow keeps in the same tables, are no models.
"""
