"""The house: composition (settings, urls, asgi, cli) on top, accounts, jobs and lib at the bottom.

Owns: who people are (hub.accounts), background work (hub.jobs), plain tools (hub.lib), the pages of no repository.
May import: hub.lib from anywhere; the composition modules (asgi, urls, api_urls, pages, cli) may import every app.
Never: an app importing the composition.
"""
