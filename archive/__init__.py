"""What the ingest side and the question side share: nouns, settings, models, ledger and index."""
