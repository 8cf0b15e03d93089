"""The REST API of reviewers asked and of merges that wait."""
