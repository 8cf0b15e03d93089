"""Background work whose truth is a row: Outbox (announced events) and Job (long work with a lease).

And answers that are kept for a day, so that a request may be sent twice (once.py).

May import: hub.lib.
"""
