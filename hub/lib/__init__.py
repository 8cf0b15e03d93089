"""The floor: no rows, no app. Errors, streams, object store, previews, names.

May import: nothing of ours.
"""
