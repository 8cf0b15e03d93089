"""The REST API of issues, labels and milestones: GitHub's paths and verbs, the same domain functions as the pages."""
