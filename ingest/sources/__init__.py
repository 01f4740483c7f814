"""Readers: whatever a path or address holds, as a stream of articles and rejects."""
