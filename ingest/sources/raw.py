"""Files as bytes, documents and lines: gzip opened, encodings told apart, sizes bounded."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from archive.errors import SourceError

LONGEST_LINE = 5 * 2**20  # characters; the longest article known is a hundredth of that
LARGEST_DOCUMENT = 20 * 2**20  # bytes of one page or feed, after unpacking
MOST_TAGS = 100_000  # in one page or feed; a month of headlines has an eighth of that
_GZIP = b"\x1f\x8b"
_CHUNK = 2**20
_MARKS = (  # UTF-32 first: in little endian its mark begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NO_TEXTS = {
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture", b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive; unpack it", b"BZh": "packed with bzip2; unpack it", b"\xfd7zXZ": "packed with xz; "
    "unpack it", b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it", _GZIP: "gzipped twice; unpack it once",
}  # fmt: skip
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def shown(path: object) -> str:
    """A path as it can be printed and stored, whatever bytes its name is of."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


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
        raise SourceError(f"{shown(path)}: can't be read ({reason}); check the file, or fetch it again") from error


def head(path: Path, size: int = 4096) -> bytes:
    """The first bytes of a file, unpacked."""
    with opened(path) as file:
        return file.read(size)


def document(path: Path) -> bytes:
    """A whole page or feed. Raises SourceError where it is larger than LARGEST_DOCUMENT."""
    with opened(path) as file:
        data = file.read(LARGEST_DOCUMENT + 1)
    if len(data) > LARGEST_DOCUMENT:
        raise SourceError(f"{shown(path)}: larger than {LARGEST_DOCUMENT // 2**20} MB; split it, or store it as JSONL")
    return data


def no_text(start: bytes) -> str:
    """What a file is by its first bytes where it is no text, and how to make it one; empty for text."""
    for mark, kind in _NO_TEXTS.items():
        if start.startswith(mark):
            return kind
    if _marked(start) or b"\0" not in start:
        return ""
    if 3 * max(start[::2].count(0), start[1::2].count(0)) > len(start):
        return "UTF-16 without a byte order mark; save it as UTF-8"
    control = len(start) - len(start.translate(None, _CONTROL))
    return "binary data, not text" if control * 20 > len(start) else ""


def too_much(markup: bytes) -> str:
    """The reason not to parse a page or feed of so many tags; empty for a usual one."""
    tags = markup.count(b"<")
    return f"{tags:,} tags; no page or feed has more than {MOST_TAGS:,}, so split it" if tags > MOST_TAGS else ""


def decode(data: bytes) -> str:
    """UTF-8 with or without BOM, UTF-16 or UTF-32 with one, else Windows-1252.

    A few damaged bytes become replacement characters.
    """
    if marked := _marked(data):
        return data.decode(marked, "replace")
    text = data.decode("utf-8-sig", "replace")
    damaged = text.count("\ufffd")
    return data.decode("cp1252", "replace") if damaged and _mostly_damaged(text, damaged) else text


def lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Numbered lines from 1 in the encoding of the whole file, ending in a newline however it is written.

    None stands for one of more than LONGEST_LINE characters.
    """
    encoding = _encoding(path)
    with opened(path) as file, io.TextIOWrapper(file, encoding, "replace") as text:
        number = 0
        while line := text.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) <= LONGEST_LINE:
                yield number, line.removeprefix("\ufeff")  # files joined to one keep their marks within
                continue
            while line and not line.endswith("\n"):
                line = text.readline(_CHUNK)
            yield number, None


def line_count(path: Path) -> int:
    """How many newlines; quick enough to know how long an ingest will take."""
    with opened(path) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def _marked(start: bytes) -> str:
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), "")


def _encoding(path: Path) -> str:
    if marked := _marked(head(path)):
        return marked
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
