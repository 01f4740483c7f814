"""Articles in: read, clean, split, index."""
