"""The file of a backup: a tar of manifest and members, compressed by Zstandard (RFC 8878), which `tar` opens as well.

The manifest comes first, so whoever reads knows name, size and SHA-256 of all that may follow.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Literal

import zstandard
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive.errors import ArchiveError
from archive.swapping import LEDGER, PARTS

MANIFEST = "manifest.json"
_VERSION = 1
_LEVEL = 1  # vectors are noise to any compressor: higher levels take longer and save nothing
_LARGEST_MANIFEST = 64 * 2**20  # bytes; a member takes about 150
_CHUNK = 2**20
_TAR_BLOCK = 512


class Member(BaseModel):
    """One file of the archive, by its path in the archive's folder; `modified` in Unix seconds."""

    model_config = ConfigDict(frozen=True)

    name: str
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    modified: Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """What a backup holds. `schema_version` is the ledger's, `made` an ISO 8601 time, `embedder` None where none was.

    `left_out` names parts of the archive that are built again from the ledger after a restore.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["archivar-backup"] = "archivar-backup"
    version: int = _VERSION
    program: str
    made: str
    schema_version: int
    embedder: str | None
    articles: int
    passages: int
    left_out: tuple[str, ...] = ()
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Bytes that the members take on disk."""
        return sum(member.size for member in self.members)


def described(name: str, path: Path) -> Member:
    """The file at `path` as the member `name`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    state = path.stat()
    return Member(name=name, size=state.st_size, sha256=digest, modified=int(state.st_mtime))


def write(target: IO[bytes], manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write a backup whose members lie at `files` by name, and must not change meanwhile."""
    with (
        zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).stream_writer(target, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", bufsize=_CHUNK) as tar,
    ):
        text = manifest.model_dump_json(indent=1).encode()
        tar.addfile(_entry(MANIFEST, len(text), 0), io.BytesIO(text))
        for member in manifest.members:
            with files[member.name].open("rb") as file:
                tar.addfile(_entry(member.name, member.size, member.modified), file)


def _entry(name: str, size: int, modified: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = size, modified
    return entry


def read_manifest(path: Path) -> Manifest:
    """Raises ArchiveError where the file is no backup, or one of a later version."""
    with _opened(path) as (_, manifest):
        return manifest


def unpack(path: Path, folder: Path) -> Manifest:
    """Write the members under `folder`, each checked against the manifest.

    Raises ArchiveError where anything is missing, other or more than the manifest says; what is in `folder` is then to
    be thrown away.
    """
    with _opened(path) as (tar, manifest):
        wanted = {member.name: member for member in manifest.members}
        while entry := tar.next():
            member = wanted.pop(entry.name, None)
            if member is None or not entry.isreg() or entry.size != member.size:
                raise _damaged(path, f"{entry.name[:80]!r} is not what the list of its contents says")
            _extract(path, tar, entry, member, folder / member.name)
        if wanted:
            raise _damaged(path, f"{next(iter(wanted))} is missing")
    return manifest


def _extract(path: Path, tar: tarfile.TarFile, entry: tarfile.TarInfo, member: Member, place: Path) -> None:
    digest, source = hashlib.sha256(), tar.extractfile(entry)
    assert source is not None  # a regular file has contents
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as out:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != member.sha256:
        raise _damaged(path, f"{member.name} fails its SHA-256")
    os.utime(place, (member.modified, member.modified))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, Manifest]]:
    """The tar, read up to its first member, with its manifest. What fails on the way is an ArchiveError."""
    try:
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as packed:
            bounded = _Bounded(packed, _LARGEST_MANIFEST)
            with tarfile.open(fileobj=bounded, mode="r|", bufsize=_TAR_BLOCK) as tar:
                manifest = _manifest(path, tar)
                # Headers and padding of a member, and the blocks that tar closes with.
                bounded.left = manifest.size + (len(manifest.members) + 20) * 8 * _TAR_BLOCK
                yield tar, manifest
    except FileNotFoundError as error:
        raise ArchiveError(f"{path}: no such file; check the path") from error
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise ArchiveError(f"{error.filename or path}: {error.strerror or error}; check folder and disk") from error


def _manifest(path: Path, tar: tarfile.TarFile) -> Manifest:
    entry = tar.next()
    file = tar.extractfile(entry) if entry and entry.name == MANIFEST and entry.isreg() else None
    try:
        manifest = Manifest.model_validate_json(file.read() if file else b"")
    except ValidationError as error:
        raise _damaged(path, "it does not begin with a list of its contents") from error
    if manifest.version > _VERSION:
        raise ArchiveError(f"{path}: a backup by archivar {manifest.program[:20]}; this is older and can't read it")
    for member in manifest.members:
        if not _belongs(PurePosixPath(member.name), member.name):
            raise _damaged(path, f"{member.name[:80]!r} is no part of an archive")
    if len({member.name for member in manifest.members}) < len(manifest.members):
        raise _damaged(path, "it lists a file twice")
    if LEDGER not in {member.name for member in manifest.members}:
        raise _damaged(path, "it has no ledger")
    return manifest


def _belongs(path: PurePosixPath, name: str) -> bool:
    """Whether the path leads to the ledger or into the folder of an index, and nowhere else on any system."""
    whole = str(path) == name and ".." not in path.parts and not {"\\", ":", "\0"} & set(name)
    return name == LEDGER or (whole and len(path.parts) > 1 and path.parts[0] in PARTS[1:])


class _Bounded(io.RawIOBase):
    """No more than `left` bytes, so that a small file can't unpack to a memory or disk full of nothing."""

    def __init__(self, source: IO[bytes], left: int) -> None:
        self._source, self.left = source, left

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise tarfile.ReadError("it unpacks to more than it says")
        return data


def _damaged(path: Path, reason: str) -> ArchiveError:
    return ArchiveError(f"{path}: no whole backup of an archive ({reason}); fetch it again, or take another one")
