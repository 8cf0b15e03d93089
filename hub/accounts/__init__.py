"""People, tokens and what they did.

Owns: Owner, User, AccessToken, AuditEvent; authentication.py, the only reader of credentials.
May import: hub.jobs, hub.lib.
"""
