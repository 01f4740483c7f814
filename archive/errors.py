"""Our exception hierarchy. Every message names the thing and the mend, in one line that a user can act on.

ArchivarError
  ├── SettingsError        a setting is wrong; raised at start
  ├── ModelError           a model can't be had or used
  │     ├── UnknownModel     its name is in no catalogue
  │     ├── ModelMissing     known, but not in the store and not to be fetched now
  │     └── ModelDamaged     bytes that fail verification
  ├── SourceError          a file, feed or page can't be read at all
  ├── BadArticle           one record of a source is no article; counted as a reject, the rest goes on
  ├── ArchiveError         ledger or index can't be used
  │     ├── ArchiveLocked    another process writes
  │     └── ModelMismatch    the archive was built with another embedder
  ├── BadRequest           an HTTP request that can't be meant; carries `param`
  │     └── TooLong          it holds more text than can be read
  ├── BadKey               a key can't be made or changed as a command asks for
  ├── Unauthorized         the API key is missing or wrong
  ├── Forbidden            the API key doesn't allow this
  ├── NotFound             an article or a model that a request names does not exist
  │     └── Withdrawn        an article that was there and that its publisher has taken down
  ├── Busy                 too many wait already; carries the seconds after which to ask again
  │     └── QuotaUsed        an API key's quota is used up
  ├── ShuttingDown         the server is being stopped while an answer is on its way
  └── GenerationError      the engine failed
        ├── EngineUnavailable  it can't be reached or is not loaded
        └── EngineTimeout      it fell silent
"""


class ArchivarError(Exception):
    """Base of all errors that are shown to users: catch it where a command or a request ends."""


class SettingsError(ArchivarError):
    """A setting is missing, malformed or contradicts another; raised once, at start."""


class ModelError(ArchivarError):
    """A model can't be fetched, verified or loaded."""


class UnknownModel(ModelError):
    """The name is in no catalogue, is no hub id and no local folder."""


class ModelMissing(ModelError):
    """The model is known but not in the local store, and this call does not fetch."""


class ModelDamaged(ModelError):
    """The bytes on disk or from the wire fail their SHA-256."""


class SourceError(ArchivarError):
    """A whole source can't be read: missing, unreadable, of no known format."""


class BadArticle(ArchivarError):
    """One record of a source can't be an article; the reader goes on with the next."""


class ArchiveError(ArchivarError):
    """The ledger or an index can't be opened, read or written."""


class ArchiveLocked(ArchiveError):
    """Another process holds the archive's write lock."""


class ModelMismatch(ArchiveError):
    """The archive's vectors were made by another embedder than the one in use."""


class BadRequest(ArchivarError):
    """A request with a value that can't be meant; `param` names the field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class TooLong(BadRequest):
    """A request with more text than can be read."""


class BadKey(ArchivarError):
    """The name of a key is taken, unknown or no name, or what it shall allow can't be meant."""


class Unauthorized(ArchivarError):
    """A request without the key that this server asks for; `code` is OpenAI's, for a key that is wrong."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class Forbidden(ArchivarError):
    """A request with a key that doesn't allow it, or from a web page of others; `code` is OpenAI's."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class NotFound(ArchivarError):
    """A request names a model or an article that isn't there; `code` is OpenAI's, for clients that branch on it."""

    def __init__(self, message: str, code: str = "not_found", param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Withdrawn(NotFound):
    """A request names an article that its publisher has taken down; it is told of, but not shown any more."""


class Busy(ArchivarError):
    """More is asked than may wait; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QuotaUsed(Busy):
    """A key's requests of this minute or day are used up: all `limit` of them."""

    code = "rate_limit_exceeded"  # OpenAI's

    def __init__(self, message: str, retry_after: int, limit: int) -> None:
        super().__init__(message, retry_after)
        self.limit = limit


class ShuttingDown(ArchivarError):
    """The server is being stopped; the answer on its way ends here."""


class GenerationError(ArchivarError):
    """The engine that writes the answer failed."""


class EngineUnavailable(GenerationError):
    """The engine can't be reached, refuses, or its model is not loaded."""


class EngineTimeout(GenerationError):
    """The engine accepted the question and then fell silent for longer than `engine_timeout`."""
