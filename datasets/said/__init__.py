"""What people say about rows of tables and about images: where a thread's place is, what it was, what it is by now.

Fills repos.issues.threads' kinds row and image. May import: what datasets may; repos.issues, repos.pulls.
"""
