"""The REST API of reviews: GitHub's paths and verbs, the same domain functions as the pages."""
