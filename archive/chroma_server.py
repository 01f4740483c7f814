"""Chroma's client of a server, with limits of time and errors that say what is wrong: its own waits for ever."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.api.fastapi import FastAPI
from chromadb.config import Settings
from chromadb.errors import ChromaError

_CONNECT = 3.0  # seconds
_ANSWER = 20.0  # seconds of silence: to read the graph of a full shelf takes a server three, to write it as many
_REST = 5.0  # seconds in which one that fell silent isn't asked, or all threads would wait for it one after the other
_LIMITS = httpx.Timeout(_ANSWER, connect=_CONNECT)


def server_at(host: str, port: int, tls: bool) -> ClientAPI:
    """A client of the Chroma server there. Raises ConnectionError, here and with each call, where it can't be used."""
    with _told():
        # Chroma's client asks three things when it is made, and can't be told limits before.
        httpx.get(f"http{'s' if tls else ''}://{host}:{port}/api/v2/heartbeat", timeout=_LIMITS)
        client = chromadb.HttpClient(host, port, ssl=tls, settings=Settings(anonymized_telemetry=False))
    api = cast(FastAPI, client._server)  # type: ignore[attr-defined]
    unbounded, api._session = api._session, BoundedSession(headers=api._session.headers, limits=api.http_limits)
    unbounded.close()
    return client


class BoundedSession(httpx.Client):
    """Gives up on a server that is silent, and rests before it asks that again."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as httpx declares them
        super().__init__(timeout=_LIMITS, **options)
        self._silent_until = 0.0

    def request(self, *args: Any, **kwargs: Any) -> httpx.Response:  # noqa: ANN401 - as httpx declares them
        """See httpx.Client. Raises ConnectionError."""
        if time.monotonic() < self._silent_until:
            raise ConnectionError("it was silent a moment ago")
        try:
            with _told():
                response = super().request(*args, **kwargs)
        except TimeoutError:
            self._silent_until = time.monotonic() + _REST
            raise
        if response.status_code >= 500 and not _is_chromas(response):
            raise ConnectionError(f"it fails: {response.status_code} {' '.join(response.text.split())[:200]}")
        return response


def _is_chromas(response: httpx.Response) -> bool:
    """Whether an error is one that Chroma's client has a class for; others it raises as bare Exception."""
    try:
        return "error" in response.json()
    except ValueError:
        return False


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimeoutError(f"it does not answer ({type(error).__name__})") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectionError(f"it can't be reached ({error or type(error).__name__})") from error
    except (ChromaError, ValueError, OSError):
        raise
    except Exception as error:  # Chroma's client raises no other class where it doesn't understand a server
        raise ConnectionError(f"it fails ({' '.join(str(error).split())[:200]})") from error
