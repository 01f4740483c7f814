"""Bodies unpacked piece by piece, never further than a limit."""

import zlib
from collections.abc import Iterable, Iterator

from archive.errors import SourceError

ACCEPTED = "gzip, deflate"
_PIECE = 2**16  # bytes unpacked at a time, so that a bomb is noticed before it goes off
_GZIP, _ZLIB, _RAW = 31, 15, -15  # window bits


def unpacked(chunks: Iterable[bytes], encoding: str, limit: int) -> tuple[bytes, bool]:
    """The first `limit` bytes of a body, and whether there is more. `encoding` is the header Content-Encoding.

    Raises SourceError for encodings nobody asked for and for damage.
    """
    data = bytearray()
    for piece in _pieces(chunks, encoding.strip().lower()):
        data += piece
        if len(data) > limit:
            return bytes(data[:limit]), True
    return bytes(data), False


def _pieces(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    match encoding:
        case "" | "identity":
            yield from chunks
        case "gzip" | "x-gzip" | "deflate":
            try:
                yield from _inflated(chunks, encoding != "deflate")
            except zlib.error as error:
                raise SourceError(f"can't be unpacked ({error}); try again later") from error
        case _:
            raise SourceError(f"is packed as {encoding[:40]}, which nobody asked for; try again later")


def _inflated(chunks: Iterable[bytes], gzip: bool) -> Iterator[bytes]:
    """Members of a gzip stream follow one another; `deflate` is zlib (RFC 9110), or bare where a server errs."""
    unpacker = None
    for chunk in chunks:
        while chunk:
            if unpacker is None:
                unpacker = zlib.decompressobj(_GZIP if gzip else _ZLIB if chunk[0] & 15 == 8 else _RAW)
            yield unpacker.decompress(chunk, _PIECE)
            chunk = unpacker.unconsumed_tail
            if unpacker.eof and not gzip:
                return
            if unpacker.eof:
                # Zeros that pad a finished stream are no further member.
                chunk, unpacker = unpacker.unused_data.lstrip(b"\0"), None
    if unpacker is not None:
        raise zlib.error("it ends too soon")
