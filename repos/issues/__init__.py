"""Issues: numbers, texts, labels, milestones, what happened to each. A pull request is an issue with more to it.

Owns its rows and the two counts of open ones on Repository. A pull request's own rows belong to repos.pulls.
May import: everything in repos but repos.pulls; hub.accounts, hub.jobs, hub.lib.
"""
