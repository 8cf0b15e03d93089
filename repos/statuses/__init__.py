"""Commit statuses: what CI and schedulers say of a commit, by name (context). The newest of each name counts.

Owns Status. Pull requests listen to signals.STATUS_POSTED. May import: repos' rows, gate and git; hub.accounts,
hub.jobs, hub.lib.
"""
