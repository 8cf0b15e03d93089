"""Pages of one's own account that know nothing of repositories."""
