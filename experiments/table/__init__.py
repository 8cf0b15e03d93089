"""What the table of runs can show besides a plain page: columns and their order, groups, trees, baselines, views, acts.

columns (names → what a column is) → listing (SQL, one level up) → heads and experiments/rows.py (HTML).
May import: experiments.database, .runs, .listing, .filters, .models; hub.lib.
"""
