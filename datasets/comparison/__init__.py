"""What changed in the data between two commits: the question of a path, the jobs, a page of the answer."""
