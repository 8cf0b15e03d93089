"""One version of a table or of a folder of images, a page at a time."""
