"""Care of the store: what a repository keeps, may keep, no longer needs, and what its disk has damaged."""
