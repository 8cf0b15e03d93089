"""Runs beside each other in what they left and came from: pictures by step, files, packages, data, code. Panels that
the comparison loads by their addresses; each reads a bounded part of at most MOST_RUNS runs."""
