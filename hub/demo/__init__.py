"""The demo repository: what Covey shows when nothing was pushed yet. Made by code through the product's own functions.

texts.py and data.py make the same files each time; runs.py says what was tried; seeding.py puts it all into the hub.
"""
