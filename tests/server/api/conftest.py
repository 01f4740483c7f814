"""One server for the tests of the API."""

from collections.abc import Iterator

import pytest
from serving import serving

from archive.settings import Settings


@pytest.fixture(scope="package")
def base(archive_home, swap) -> Iterator[str]:
    with serving(Settings(home=archive_home, reranked=4, candidates=8), swap) as address:
        yield address
