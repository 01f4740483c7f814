"""Files as bytes, documents and lines: gzip opened, encodings told apart, sizes bounded."""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from archive.errors import SourceError

LONGEST_LINE = 5 * 2**20  # bytes; the longest article known is a hundredth of that
LARGEST_DOCUMENT = 20 * 2**20  # bytes of one page or feed, after unpacking
_GZIP = b"\x1f\x8b"
_CHUNK = 2**20
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, gzip unpacked whatever its name. Raises SourceError, also for damage met on the way."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            yield cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"{path}: can't be read ({reason}); check the file, or fetch it again") from error


def head(path: Path, size: int = 4096) -> bytes:
    """The first bytes of a file, unpacked."""
    with opened(path) as file:
        return file.read(size)


def document(path: Path) -> bytes:
    """A whole page or feed. Raises SourceError where it is larger than LARGEST_DOCUMENT."""
    with opened(path) as file:
        data = file.read(LARGEST_DOCUMENT + 1)
    if len(data) > LARGEST_DOCUMENT:
        raise SourceError(f"{path}: larger than {LARGEST_DOCUMENT // 2**20} MB; split it, or store it as JSONL")
    return data


def decode(data: bytes) -> str:
    """UTF-8 with or without BOM, else Windows-1252; a few damaged bytes in UTF-8 become replacement characters."""
    text = data.decode("utf-8-sig", "replace")
    damaged = text.count("\ufffd")
    return data.decode("cp1252", "replace") if damaged and _mostly_damaged(text, damaged) else text


def lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Numbered lines from 1, newline kept, in the encoding of the whole file; None for one over LONGEST_LINE."""
    encoding = _encoding(path)
    with opened(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) <= LONGEST_LINE:
                yield number, line.decode(encoding, "replace")
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(_CHUNK)
            yield number, None


def line_count(path: Path) -> int:
    """How many newlines; quick enough to know how long an ingest will take."""
    with opened(path) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    damaged = beyond_ascii = 0
    with opened(path) as file:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if not text.isascii():
                damaged += text.count("\ufffd")
                beyond_ascii += len(_NOT_ASCII.findall(text))
    # In Windows-1252 nearly every umlaut is damage to UTF-8; a broken disk damages a few.
    return "cp1252" if damaged and damaged * 2 > beyond_ascii else "utf-8-sig"


def _mostly_damaged(text: str, damaged: int) -> bool:
    return damaged * 2 > len(_NOT_ASCII.findall(text))
