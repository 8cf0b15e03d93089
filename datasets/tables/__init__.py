"""Tables and manifests compared, merged and summed up with DuckDB, pyarrow and numpy: plain Python over files.

Runs in the sandbox's processes only (hub.lib.sandbox_job, hub.lib.sandbox): the files come from strangers, and the
hub's own processes never load these libraries. drift.py and pages of numbers need none of them.
"""
