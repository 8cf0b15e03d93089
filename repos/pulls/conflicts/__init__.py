"""Conflicts of a pull request, resolved by people: what they must decide (files.py), what they chose (choosing.py), and
the one merge commit that comes of it (resolving.py). `ours` is the request's branch, `theirs` the one it asks to be
merged into, since the latter is merged into the former.

Owns the rows of choices. May import: what repos.pulls may.
"""
