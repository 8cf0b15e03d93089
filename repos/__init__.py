"""A Git repository and who may do what with it.

Owns: Repository and its rows, the one gate (access.py), git transport, git pages, the content registry.
May import: hub.accounts, hub.jobs, hub.lib. datasets and experiments reach it by URL, event or registered driver only.
"""
