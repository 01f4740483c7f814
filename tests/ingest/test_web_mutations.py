"""Whatever a server sends, reading it ends, and ends in an answer or a SourceError."""

import contextlib
import gzip
import json
from datetime import UTC, datetime

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import SourceError
from ingest.web.addresses import endpoint, parsed, same_site
from ingest.web.exchange import Answer
from ingest.web.pacing import retry_after
from ingest.web.reservations import reserved_by_file, reserved_by_headers, reserved_by_page, tdm_rules
from ingest.web.robots import Robots
from ingest.web.unpacking import unpacked
from ingest.web.visitor import _target

HERE = "https://www.heise.de/news/a-1.html"
WORDS = st.sampled_from(
    ["User-agent:", "*", "archivar", "Disallow:", "Allow:", "Crawl-delay:", "Request-rate:", "Content-Signal:",
     "ai-input=no", "/", "$", "%zz", "%", "1/0", "-1", "1e999", "\n", "\r", "\0", " ", "#", ":", "ä", "https://", "//",
     "@", "www.heise.de", "[", "]", "..", "?", "<meta name=", "robots", " content=", "noai>", "<!--", "<html>",
     "<body>"]
)  # fmt: skip
TEXT = st.lists(WORDS | st.text(max_size=5), max_size=40).map("".join)


@settings(deadline=None, max_examples=50)
@given(TEXT)
def test_robots(text):
    robots = Robots(text)
    assert robots.delay >= 0
    assert robots.allows(HERE) in (True, False)


@settings(deadline=None, max_examples=50)
@given(st.recursive(st.none() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["location", "tdm-reservation", "tdm-policy"]), inner)))  # fmt: skip
def test_tdm_files(value):
    reserved_by_file(tdm_rules(json.dumps(value).encode()), HERE)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200) | TEXT.map(str.encode))
def test_pages(data):
    reserved_by_page(data)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["x-robots-tag", "tdm-reservation", "content-type"]), TEXT)))
def test_headers(headers):
    sent = httpx.Headers([(name, value.encode()) for name, value in headers])
    reserved_by_headers(sent)
    assert Answer(200, sent).media_type is not None


@settings(deadline=None, max_examples=50)
@given(TEXT | st.text())
def test_times_to_come_back(value):
    seconds = retry_after(value, datetime(2026, 12, 1, tzinfo=UTC))
    assert seconds is None or seconds >= 0


@settings(deadline=None, max_examples=50)
@given(TEXT | st.text())
def test_addresses_and_redirects(text):
    here = parsed(HERE)
    with contextlib.suppress(SourceError):
        endpoint(parsed(text))
    with contextlib.suppress(SourceError):
        target = _target(here, here, Answer(302, httpx.Headers({"location": text.encode()})))
        assert same_site(here, target)
        assert target.scheme in ("http", "https")


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=300), st.integers(0, 300), st.sampled_from(["gzip", "deflate", "", "br"]), st.booleans())
def test_packed_bodies(data, cut, encoding, packed):
    body = gzip.compress(data)[:cut] + data[cut:] if packed else data
    with contextlib.suppress(SourceError):
        out, more = unpacked([body[:7], body[7:]], encoding, 100)
        assert len(out) <= 100
        assert not more or len(out) == 100
