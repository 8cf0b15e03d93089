"""What pull requests ask of data: merges, the questions of a conflict, the summary, a rule of branches."""
