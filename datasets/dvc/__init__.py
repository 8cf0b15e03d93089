"""DVC's file formats and names, as data: no Django, no rows, and no DVC `Repo`, which would obey what was pushed.

documents: YAML, capped. pointers: .dvc and dvc.lock → Out. manifests: .dir ↔ entries. keys: names of objects.
"""
