"""Connections: what uvicorn leaves unbounded of them, the time and the size of a request's head."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_SECONDS = 20.0
_BYTES = 64 * 1024


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's HTTP protocol: closed where a head isn't whole after 20 s or 64 KiB; hand it to uvicorn as `http`."""

    _head_bytes = 0
    _in_head = True  # or before its first byte
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _BYTES:
                self.send_400_response("The head of this request is too large.")

    def on_message_begin(self) -> None:
        """See httptools: the first byte of a request."""
        super().on_message_begin()
        if not self._in_head:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._stop_timer()
        self._in_head = False
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._timer = self.loop.call_later(_SECONDS, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
