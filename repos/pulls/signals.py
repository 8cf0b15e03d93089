"""What pull requests announce through the outbox."""

PULL_CHANGED = "pulls.changed"  # {"pull_id"}: opened, or its branches are worth another look
PULL_MERGED = "pulls.merged"  # {"pull_id"}
