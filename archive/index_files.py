"""The files of both indexes: whether they are whole, told without Chroma and Tantivy.

Chroma overwrites a graph's files in place, which may be longer than what they hold, so a process that is killed
meanwhile leaves torn ones. Some of these it opens without a word and finds less, or reads memory that nothing was ever
written to. Source of the format: saveIndex of chroma-hnswlib. Tantivy ends each file with a checksum, but doesn't look
at it when it opens one; source: its directory/footer.rs.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

# version; offset of level 0, elements that fit, elements held, bytes of an element, offsets of label and vector;
# highest level, entry point; neighbours above level 0, at level 0, of a new element; level factor; candidates
_HEADER = struct.Struct("<i6QiI3QdQ")
_VERSION = 1
_IDS = "index_metadata.pickle"  # written last; ends with pickle's STOP
_ROWS = 20_000  # elements looked at in one go

_SEGMENT = ("idx", "pos", "term", "store", "fast", "fieldnorm")
_FOOTER = struct.Struct("<II")  # length of the JSON before it, a fixed number
_CHUNK = 1 << 20

_LARGEST_LIST = 2**16  # bytes of one element's lists; a torn graph was seen to grow to 8 million each


@dataclass(frozen=True, slots=True)
class _Header:
    elements: int
    element_bytes: int
    entry: int
    neighbours: int

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """None where another version of the library wrote it, of which nothing can be told."""
        fields = _HEADER.unpack(file.read_bytes())
        return cls(fields[3], fields[4], fields[8], fields[10]) if fields[0] == _VERSION else None


def torn_graph(folder: Path, *, begun: bool = True, short: bool = False) -> str | None:
    """What is wrong with the graph in a collection's folder, in a few words; None where nothing is.

    One that isn't `begun` was never written whole: Chroma makes it anew from its log where the ids are missing.
    A `short` look reads no more than the lengths of the files.
    """
    if not begun and not (folder / _IDS).exists():
        return None
    try:
        if not _ends(folder / _IDS, b"."):
            return f"{_IDS} is cut off"
        header = _Header.read(folder / "header.bin")
        if header is None:
            return None
        if (folder / "data_level0.bin").stat().st_size < header.elements * header.element_bytes:
            return "data_level0.bin is cut off"
        if (folder / "length.bin").stat().st_size < 4 * header.elements:
            return "length.bin is cut off"
        lists = folder / "link_lists.bin"
        if lists.stat().st_size > _LARGEST_LIST * (header.elements + 1):
            return "link_lists.bin is larger than any graph's"
        if lists.stat().st_size < 4 * header.elements or not (short or _lists_lie_in(lists, header.elements)):
            return "link_lists.bin is cut off"
        return (
            None
            if short or _lead_within(folder / "data_level0.bin", header)
            else "data_level0.bin leads out of the graph"
        )
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is gone"
    except struct.error:
        return "header.bin is cut off"


def _ends(file: Path, end: bytes) -> bool:
    with file.open("rb") as data:
        data.seek(max(file.stat().st_size - len(end), 0))
        return data.read() == end


def _lists_lie_in(file: Path, elements: int) -> bool:
    """Whether the lists of neighbours above level 0, each behind its length, lie in the file."""
    lists, at = memoryview(file.read_bytes()), 0
    for _ in range(elements):
        if at + 4 > len(lists):
            return False
        at += 4 + int.from_bytes(lists[at : at + 4], "little")
    return at <= len(lists)


def _lead_within(file: Path, header: _Header) -> bool:
    """Whether every link at level 0 leads to an element; one that doesn't makes a search read outside of the graph."""
    if not header.elements:
        return True
    elements = np.memmap(file, np.uint8, "r", shape=(header.elements, header.element_bytes))
    for start in range(0, header.elements, _ROWS):
        links = np.ascontiguousarray(elements[start : start + _ROWS, : 4 + 4 * header.neighbours]).view("<u4")
        counts = links[:, 0] & 0xFFFF  # the rest are marks, such as that of a deleted element
        used = np.arange(header.neighbours) < counts[:, None]
        if counts.max() > header.neighbours or (links[:, 1:][used] >= header.elements).any():
            return False
    return header.entry < header.elements


def torn_words(folder: Path) -> str | None:
    """What is wrong with an index of Tantivy, in a few words; None where nothing is, or there is none. Reads it all."""
    try:
        segments = json.loads((folder / "meta.json").read_bytes())["segments"]
        for segment in segments:
            name = segment["segment_id"].replace("-", "")
            deleted = [f"{segment['deletes']['opstamp']}.del"] if segment["deletes"] else []
            for file in (folder / f"{name}.{suffix}" for suffix in (*_SEGMENT, *deleted)):
                if not _sums_up(file):
                    return f"{file.name} is damaged"
    except FileNotFoundError as error:
        name = Path(error.filename).name
        return None if name == "meta.json" else f"{name} is gone"
    except (ValueError, KeyError, TypeError):
        return "meta.json is damaged"
    return None


def _sums_up(file: Path) -> bool:
    size, crc = file.stat().st_size, 0
    with file.open("rb") as data:
        data.seek(max(size - _FOOTER.size, 0))
        end = data.read()
        if len(end) < _FOOTER.size or (body := size - _FOOTER.size - _FOOTER.unpack(end)[0]) < 0:
            return False
        data.seek(body)
        footer = data.read(size - _FOOTER.size - body)
        data.seek(0)
        while body and (chunk := data.read(min(_CHUNK, body))):
            crc, body = zlib.crc32(chunk, crc), body - len(chunk)
    try:
        return bool(json.loads(footer)["crc"] == crc)
    except (ValueError, KeyError, TypeError):
        return False
