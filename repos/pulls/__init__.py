"""Pull requests: an issue that asks for a branch to be merged into another, and the merge itself.

Owns PullRequest and the refs refs/pull/<number>/head. Data is merged by drivers that upper apps register (drivers.py);
panels of upper apps are loaded by URL. May import: everything in repos; hub.accounts, hub.jobs, hub.lib.
"""
