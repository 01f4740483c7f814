"""What packages load of others and a server never calls, left out of its imports: a tenth of its start."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

# By module, what is imported from it; nothing: who imports it goes without.
_UNUSED = {
    "opentelemetry.exporter.otlp.proto.grpc.trace_exporter": "OTLPSpanExporter",  # Chroma's own tracing; with it gRPC
    "httpx._main": "main",  # httpx's command line; with it click, rich and pygments
    "pydantic.v1": "",  # FastAPI looks whether a model is one of the first version's
}


@contextmanager
def lean_imports() -> Iterator[None]:
    """Within this block stand-ins take the places of those modules, unless they are loaded or Chroma is to trace."""
    is_traced = any(name.startswith("CHROMA_OTEL_") for name in os.environ)
    names = [] if is_traced else [name for name in _UNUSED if name not in sys.modules]
    for name in names:
        sys.modules[name] = _stand_in(name)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)  # whoever imports it later gets the real one


def _stand_in(name: str) -> ModuleType:
    if not _UNUSED[name]:
        return cast(ModuleType, None)  # the import system's sign for a module that isn't to be found

    def left_out(*_: object, **__: object) -> None:
        raise RuntimeError(f"{name} was left out of the imports of a server")

    module = ModuleType(name)
    setattr(module, _UNUSED[name], left_out)
    return module
