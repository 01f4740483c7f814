"""What errors of SQLite, Chroma and Tantivy come of, as far as that tells what to do."""

REPAIR = "run `archivar check --repair`"
FULL = "the disk is full: free some space, then run the same command again"
_SIGNS = ("disk is full", "no space left", "os error 28", "os error 27", "file too large", "disk quota", "os error 122")


def is_full(error: BaseException) -> bool:
    """Whether an error comes of a full disk, a quota or a limit on the size of files."""
    return any(sign in str(error).lower() for sign in _SIGNS)
