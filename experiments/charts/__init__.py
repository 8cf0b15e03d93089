"""What comparisons draw: which runs (picking, selections), their values, statistics over them, bands of curves.

May import the experiments' readers (database, runs, filters, history); knows no request.
"""
