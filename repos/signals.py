"""What repositories announce through the outbox. Whoever cares writes `@receiver(PUSHED)` in its receivers.py."""

PUSHED = "repos.pushed"  # {"repository_id", "push_id"}: refs moved; read Push and RefUpdate rows
DELETED = "repos.deleted"  # {"repository_id"}: every store keyed by this id may go
