"""Measures the real thing: calls the functions that the server calls, and counts."""
