"""What a visit to an address ends with: Fetched, Unchanged or Gone, or the error Refused."""

from dataclasses import dataclass

from archive.errors import SourceError


class Refused(SourceError):
    """What may not be fetched: by robots.txt, by a reservation, or since it lies in a private network."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of a version, to be asked "changed since?" with the next time (RFC 9110, 13.1)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, unpacked. `address` is where the last redirect led, `media_type` lower-case without parameters.

    `passed` are the addresses that have moved to `address` for good: only permanent redirects lead from them to it.
    """

    data: bytes
    address: str
    media_type: str
    validators: Validators = Validators()
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The version that `known` told of is still the one (304); `address` as it was asked for."""

    address: str


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing is there: `status` 404 (not found) or 410 (gone for good); `address` as it was asked for."""

    address: str
    status: int
