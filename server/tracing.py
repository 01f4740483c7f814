"""Traces by OpenTelemetry: a span for each request, and one for each of its stages.

Spans are made when a request has ended, from the times that are taken anyway, so that while it is served nothing is
done for them. They say how long and how much, and nothing of what was asked, found or answered. Names are those of
OpenTelemetry's conventions for HTTP and generative AI where they have one.
"""

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from server.observing import PROBES, Exchange

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_SEND_WITHIN = 5.0  # seconds that a collector has for a batch
_FLUSH_WITHIN = 2000  # milliseconds that what is left has when the server is stopped


class Tracing:
    """Sends traces to a collector, in batches and from a thread of its own. OTEL_* variables hold as everywhere."""

    def __init__(self, exporter: "SpanExporter", version: str) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # Not the process's global provider: that is for others, as Chroma, to take or leave.
        resource = Resource.create({"service.name": "archivar", "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("archivar", version)
        self._propagator = TraceContextTextMapPropagator()

    def record(self, exchange: Exchange) -> None:
        """Tell of a request that has ended; of probes nothing, which would hide the rest."""
        if exchange.route in PROBES:
            return
        from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

        def epoch(moment: float) -> int:
            return since + int(moment * 1e9)

        since = time.time_ns() - int(time.perf_counter() * 1e9)
        context = self._propagator.extract({name: exchange.header(name.encode()) for name in self._propagator.fields})
        span = self._tracer.start_span(
            f"{exchange.scope['method']} {exchange.route}", context, SpanKind.SERVER, _attributes(exchange),
            start_time=epoch(exchange.started),
        )  # fmt: skip
        if span.is_recording():
            # What a client did wrong is no error of a server's span; one with status 200 came amid a stream.
            if exchange.status >= 500 or (exchange.now.error and exchange.status < 400):
                span.set_status(StatusCode.ERROR)
            within = set_span_in_context(span, context)
            for timings in exchange.now.timings:
                for stage in timings.stages:
                    child = self._tracer.start_span(stage.name, within, start_time=epoch(stage.start))
                    child.end(epoch(stage.end or exchange.ended))
        span.end(epoch(exchange.ended))

    def close(self) -> None:
        """Send what is left, within a limit, and stop; blocking."""
        self._provider.force_flush(_FLUSH_WITHIN)
        self._provider.shutdown()


def _attributes(exchange: Exchange) -> dict[str, Any]:
    now, scope = exchange.now, exchange.scope
    told: dict[str, Any] = {
        "http.request.method": scope["method"], "http.route": exchange.route,
        "http.response.status_code": exchange.status, "http.response.body.size": exchange.bytes,
        "url.scheme": scope.get("scheme", "http"), "network.protocol.version": scope.get("http_version", "1.1"),
        "error.type": now.error, "archivar.request_id": now.id, "archivar.cancelled": now.cancelled,
        "gen_ai.request.model": now.model,
    }  # fmt: skip
    if finished := now.finished:
        told |= {
            "gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": (finished.finish_reason,),
            "gen_ai.usage.input_tokens": finished.usage.prompt_tokens,
            "gen_ai.usage.output_tokens": finished.usage.completion_tokens,
            "gen_ai.usage.cache_read.input_tokens": finished.usage.cached_tokens,
            "archivar.abstained": finished.abstained, "archivar.sources": len(finished.sources),
        }  # fmt: skip
    return {name: value for name, value in told.items() if value not in ("", None)}


def load_tracing(endpoint: str, version: str) -> Tracing:
    """Tracing to the collector at `endpoint`: a base address, to which OTLP's own path is added, or a whole one."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    whole = endpoint if urlsplit(endpoint).path.strip("/") else f"{endpoint.rstrip('/')}/v1/traces"
    return Tracing(OTLPSpanExporter(endpoint=whole, timeout=_SEND_WITHIN), version)
