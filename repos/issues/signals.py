"""What issues and pull requests announce through the outbox."""

ENDED = "issues.ended"  # {"issue_id"}: closed or merged
