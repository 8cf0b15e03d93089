"""What reviews announce through the outbox, besides that the pull request is worth another look."""

REVIEWED = "reviews.submitted"  # {"review_id"}
