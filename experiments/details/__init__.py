"""What the page of one run shows beside its values: small curves, data it read, its family, traces, what it ran.

Reads MLflow's tables through experiments.database and the repository's git; writes nothing. May import what experiments
may.
"""
