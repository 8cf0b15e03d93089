"""Settings of a repository: for its administrators only. A verb has its own URL."""
