"""What statuses announce through the outbox."""

STATUS_POSTED = "statuses.posted"  # {"repository_id", "sha"}
