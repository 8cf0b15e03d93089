"""The REST API of data."""
