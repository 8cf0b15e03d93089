"""Names of what the work leaves in its folder; free of the libraries, so that the hub may read them."""

CHANGES, FILES, HASHES, MANIFEST = "changes.parquet", "files.parquet", "hashes.tsv", "manifest.parquet"
MERGED, TABLE, PLACES = "merged", "table.parquet", "places.jsonl"
MAX_HASHES = 200_000  # of changed files, whose sizes the hub still looks up
MAX_TOP_CHARACTERS = 200  # of frequent values in sketches; longer ones are cut
