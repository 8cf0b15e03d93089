"""The REST API of pull requests: GitHub's paths and verbs."""
