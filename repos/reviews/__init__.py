"""Reviews of pull requests, and comments on lines: pending until they are submitted, followed through pushes.

Owns Review and its comments, and the kind `line` of repos.issues.threads. May import: everything in repos;
hub.accounts, hub.jobs, hub.lib.
"""
