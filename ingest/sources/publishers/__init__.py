"""Publishers, one module each, found by looking into this package: a new publisher is a new file and nothing else.

A module defines `PUBLISHER = Publisher(...)`; see `heise.py` for one with an archive and `tagesschau.py` for another.
"""

import pkgutil
from functools import cache
from importlib import import_module

from archive.errors import SourceError
from ingest.sources.publishers.publisher import Publisher


@cache
def publishers() -> dict[str, Publisher]:
    """All publishers by name, sorted."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = (getattr(import_module(f"{__name__}.{module}"), "PUBLISHER", None) for module in modules)
    return {publisher.name: publisher for publisher in found if publisher is not None}


def publisher(name: str) -> Publisher:
    """The publisher of that name. Raises SourceError with the names there are."""
    if (found := publishers().get(name.lower())) is None:
        raise SourceError(f"{name}: no such publisher; there are {', '.join(publishers())}")
    return found
