"""A full disk, as SQLite, Chroma and Tantivy tell of it."""

FULL = "the disk is full: free some space, then run the same command again"
_SIGNS = ("disk is full", "no space left", "os error 28", "os error 27", "file too large", "disk quota", "os error 122")


def is_full(error: BaseException) -> bool:
    """Whether an error comes of a full disk, a quota or a limit on the size of files."""
    return any(sign in str(error).lower() for sign in _SIGNS)
