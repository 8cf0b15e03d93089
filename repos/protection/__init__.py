"""What the rules of a branch mean for pull requests: statuses and currency, owners and asked reviewers, auto-merge.

Owns ReviewRequest and AutoMerge, and .covey/OWNERS. The rules themselves are repos.rules; statuses are repos.statuses.
May import: everything in repos; hub.accounts, hub.jobs, hub.lib.
"""
