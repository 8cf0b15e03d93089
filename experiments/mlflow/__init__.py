"""The only code that imports mlflow, and only when the first request needs it (5 s, +200 MB)."""
