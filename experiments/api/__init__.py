"""The REST API of experiments."""
