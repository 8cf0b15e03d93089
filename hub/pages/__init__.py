"""Pages that belong to no repository: home, explore, profiles, access tokens.

One file per page. May import every app; only hub.urls and hub.asgi stand above.
"""
