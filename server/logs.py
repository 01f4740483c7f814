"""Log lines: text for people or JSON for programs, each with the request that it belongs to.

What comes from outside may stand in a message, so nothing in it can begin a line of its own or speak to a terminal.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from archive.settings import Settings
from server.current import current

# Control characters of both kinds, what ends a line in Unicode, what turns the direction of text around, and halves of
# characters, which can't be written.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

# At debug level engines' clients log whole requests, and so what was asked; only our own rooms go below warnings.
_OURS = ("archivar", "archive", "ingest", "prompts", "server", "uvicorn")


def escaped(text: str) -> str:
    """`text` on one line and without anything that a terminal obeys."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says beside its message: the request's id, key and model where there is one, and its extra fields."""
    told: dict[str, Any] = {}
    if now := current():
        told = {"request_id": now.id, "key": now.key, "model": now.model}
    told |= {name: value for name, value in vars(record).items() if name not in _KNOWN}
    return {name: value for name, value in told.items() if value not in ("", None)}


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


class JsonLines(logging.Formatter):
    """One JSON object to a line: time (UTC), level, logger, message, fields(), and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """ASCII alone, so that a line is a line whatever is in it."""
        line: dict[str, Any] = {
            "time": _moment(record), "level": record.levelname.lower(), "logger": record.name,
            "message": record.getMessage(), **fields(record),
        }  # fmt: skip
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """Time (UTC), level, logger, message, and as name=value those of fields() that it doesn't say.

    A traceback's lines follow, indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line, and those of the traceback."""
        said = record.args if isinstance(record.args, tuple) else ()
        rest = {name: value for name, value in fields(record).items() if not any(value is one for one in said)}
        told = "".join(f" {name}={_shown(value)}" for name, value in rest.items())
        line = f"{_moment(record)} {record.levelname:<7} {record.name}: {escaped(record.getMessage())}{told}"
        if record.exc_info:
            lines = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n    {escaped(text)}" for text in lines)
        return line


def _shown(value: object) -> str:
    text = str(value)
    if " " in text or '"' in text:
        text = '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
    return escaped(text)


def config(settings: Settings) -> dict[str, Any]:
    """The configuration for logging.config.dictConfig(), which uvicorn hands on to each of its worker processes."""
    level = settings.log_level.upper()
    others = "ERROR" if level == "ERROR" else "WARNING"
    formatter = {"json": JsonLines, "text": TextLines}[settings.log_format]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": others},
        # Who asked is told at any level.
        "loggers": {**{name: {"level": level} for name in _OURS}, "archivar.audit": {"level": "INFO"}},
    }
