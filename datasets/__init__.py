"""Everything DVC: the remote, the objects of a repository, what is tracked at a revision.

Owns: Blob, StoredObject, the .dvc HTTP remote, the Data pages.
May import: repos, hub.accounts, hub.jobs, hub.lib. Never experiments.
"""
