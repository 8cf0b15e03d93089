"""Background work whose truth is a row: Outbox (announced events) and Job (long work with a lease).

May import: hub.lib.
"""
