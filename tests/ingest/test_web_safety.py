import contextlib
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import tracemalloc
import zlib

import httpx
import pytest
from visiting import TurnedClock, visitor, worldwide
from webserver import Answer, redirect, served

from archive.errors import SourceError
from ingest.web.addresses import is_public, parsed, same_site
from ingest.web.exchange import Limits, _trust
from ingest.web.unpacking import unpacked
from ingest.web.visitor import Visitor
from ingest.web.visits import Gone, Refused

PAGE = b"<!DOCTYPE html><html><body>Meldung</body></html>"
PUBLIC = ["193.99.144.85"]


def packed(data: bytes, encoding: str = "gzip", **fields) -> Answer:
    return Answer(data, headers={"Content-Encoding": encoding}, **fields)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("file:///etc/passwd", r"sends elsewhere, but file:/+etc/passwd: can't be fetched \(file\)"),
        ("gopher://127.0.0.1/", "http and https can"),
        ("//evil.de/", "sends to another site, evil.de; name that address"),
        ("https://heise.de.evil.de/", "another site"),
        ("http://169.254.169.254/latest/meta-data", "another site, 169.254.169.254"),
        ("http://[::1]/", "another site"),
        ("https://nutzer:wort@www.heise.de/", "user name or password is not fetched"),
        ("http://www.heise.de:99999/", "sends elsewhere, but"),
        ("http://", "sends elsewhere, but"),
        ("https://www.heise.de/" + "a" * 2500, "longer than 2000 characters"),
        ("", "more than 5 redirects"),
        ("https://intern.heise.de/", r"intern.heise.de, port 443, lies in a private network \(10.1.2.3\)"),
        ("http://localhost.heise.de/", r"private network \(127.0.0.1\)"),
    ],
)
def test_redirects_lead_nowhere_but_the_same_site_of_the_open_web(target, reason):
    hosts = {"www.heise.de": PUBLIC, "intern.heise.de": ["10.1.2.3"], "localhost.heise.de": ["127.0.0.1", "::1"]}
    with served({"/": redirect(target)}) as site, worldwide(site, hosts) as visits:
        with pytest.raises(SourceError, match=f"^https://www.heise.de/: .*{reason}"):
            visits.visit("https://www.heise.de/")
        assert set(site.paths) <= {"/", "/robots.txt", "/.well-known/tdmrep.json"}
        assert {request.host for request in site.requests} == {"www.heise.de"}


def test_redirects_within_the_site_are_followed():
    hosts = {"heise.de": PUBLIC, "www.heise.de": PUBLIC}
    with served({"/a": redirect("https://heise.de/b", 301)}) as site, worldwide(site, hosts) as visits:
        site.routes["/b"] = redirect("https://www.heise.de/c?d=1#e", 308)
        site.routes["/c"] = PAGE
        fetched = visits.visit("http://heise.de/a")
    assert fetched.address == "https://www.heise.de/c?d=1"
    assert fetched.passed == ("http://heise.de/a", "https://heise.de/b")


def test_private_networks_are_for_those_who_name_them():
    with served({"/": PAGE, "/feed": redirect("http://localhost:1/")}) as site, served({"/": PAGE}) as other:
        with visitor(site) as visits:
            assert visits.visit(site.address)
            for address in (other.address, f"http://127.0.0.1:{other.port}/", f"http://2130706433:{other.port}/"):
                with pytest.raises(Refused, match=r"lies in a private network \(127\.0\.0\.1\); name that address"):
                    visits.visit(address)
            with pytest.raises(SourceError, match="another site"):
                visits.visit(site.at("/feed"))
            site.routes["/feed"] = redirect(other.address)
            with pytest.raises(SourceError, match="private network"):
                visits.visit(site.at("/feed"))
        assert not other.requests


def test_a_name_that_changes_its_mind_is_connected_to_what_was_checked():
    answers = iter([PUBLIC, PUBLIC, ["127.0.0.1"]])
    with served({"/": Answer(PAGE, headers={"Connection": "close"})}) as site:
        site.routes["/robots.txt"] = site.routes["/.well-known/tdmrep.json"] = site.routes["/"]
        network = site.network
        visits = Visitor(network=network, resolve=lambda host, port: next(answers), crawl_delay=0)
        with visits, pytest.raises(SourceError, match=r"private network \(127\.0\.0\.1\)"):
            visits.visit("http://www.heise.de/")
        assert network.dialled == [("193.99.144.85", 80)] * 2


@pytest.fixture
def certificate(tmp_path):
    """A certificate for www.heise.de that nobody has signed, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here, which makes the certificate")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=www.heise.de", "-addext", "subjectAltName=DNS:www.heise.de"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files],
        check=True, capture_output=True,
    )  # fmt: skip
    _trust.cache_clear()
    yield certificate, key
    _trust.cache_clear()


def test_certificates_are_held_against_the_name_though_the_connection_goes_to_the_address(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with served({"/": PAGE}, context) as site:
        addresses = [f"https://{name}:{site.port}/" for name in ("www.heise.de", "heise.de")]

        def visit(address):
            options = {"resolve": lambda host, port: ["127.0.0.1"], "clock": TurnedClock().clock}
            with Visitor(named=addresses, **options) as visits:
                return visits.visit(address)

        with pytest.raises(SourceError, match=r"CERTIFICATE_VERIFY_FAILED.*self-signed"):
            visit(addresses[0])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        _trust.cache_clear()
        assert visit(addresses[0]).data == PAGE
        with pytest.raises(SourceError, match=r"not valid for 'heise\.de'"):
            visit(addresses[1])


def test_only_the_public_ones_of_several_addresses_are_tried():
    with served({"/": PAGE}) as site:
        network = site.network
        hosts = {"www.heise.de": ["192.168.0.1", "::ffff:10.0.0.1", "193.99.144.85"]}
        with worldwide(site, hosts, network=network) as visits:
            visits.visit("https://www.heise.de/")
        assert set(network.dialled) == {("193.99.144.85", 443)}


def test_an_unknown_name_is_a_wrong_address():
    reason = r"\(no address is known for gibts\.nicht\.de\); check the address"
    with served() as site, worldwide(site, {}) as visits, pytest.raises(SourceError, match=reason):
        visits.visit("https://gibts.nicht.de/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1:2:3:4:80ff:fffe",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["193.99.144.85", "8.8.8.8", "2a02:2e0:3fe:1001:7777:772e:2:85", "64:ff9b::808:808"]
)
def test_addresses_that_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://heise.de", "https://www.heise.de:8443", True),
        ("https://a.b.heise.de", "https://shop.heise.de", True),
        ("https://www.HEISE.de.", "https://www.heise.de", True),
        ("https://heise.de", "https://heise.com", False),
        ("https://heise.de", "https://notheise.de", False),
        ("https://a.co.uk", "https://b.co.uk", False),
        ("https://a.github.io", "https://b.github.io", False),
        ("https://bücher.de", "https://www.xn--bcher-kva.de", True),
        ("http://127.0.0.1", "http://127.0.0.2", False),
        ("http://localhost:1", "http://localhost:2", True),
    ],
)
def test_sites_are_told_apart(one, other, same):
    assert same_site(parsed(one), parsed(other)) == same


@pytest.mark.parametrize(
    "address",
    ["ftp://heise.de/", "heise.de", "http://", "https:///a", "http://[::1", "http://a b.de/", "http://a:b@heise.de/",
     "http://heise.de/" + "a" * 3000, "http://heise.de:0x50/", "http://heise.de:0/", "http://heise.de:65536/",
     "http://\x00.de/", ""],
)  # fmt: skip
def test_what_is_no_address_is_said_before_anything_is_asked(address):
    with served() as site, worldwide(site, {}, named=[address]) as visits:
        with pytest.raises(SourceError) as told:
            visits.visit(address)
        assert "\n" not in str(told.value) and len(str(told.value)) < 400
        assert not site.requests


@pytest.mark.parametrize(
    "body",
    [
        packed(gzip.compress(PAGE)),
        packed(gzip.compress(PAGE[:9]) + gzip.compress(PAGE[9:]) + b"\0" * 9),
        packed(gzip.compress(PAGE), "X-GZIP", pieces=20),
        packed(zlib.compress(PAGE), "deflate", pieces=5),
        packed(zlib.compress(PAGE)[2:-4], "deflate"),
        packed(PAGE, "identity"),
    ],
)
def test_packed_pages_are_unpacked(body):
    with served({"/": body}) as site, visitor(site) as visits:
        assert visits.visit(site.address).data == PAGE
        assert site.requests[-1].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (packed(PAGE), "can't be unpacked"),
        (packed(gzip.compress(PAGE)[:-9]), "can't be unpacked"),
        (packed(gzip.compress(PAGE)[:-1] + b"x"), "can't be unpacked"),
        (packed(gzip.compress(PAGE), "br"), "packed as br, which nobody asked for"),
        (packed(gzip.compress(gzip.compress(PAGE)), "gzip, gzip"), "packed as gzip, gzip"),
    ],
)
def test_damaged_packing_is_told(body, reason):
    with served({"/": body}) as site, visitor(site) as visits, pytest.raises(SourceError, match=reason):
        visits.visit(site.address)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_decompression_bomb_does_not_go_off(encoding):
    packer = zlib.compressobj(1, wbits=31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()  # 64 MB
    with served({"/": packed(bomb, encoding)}) as site, visitor(site, limits=Limits(document=2**21)) as visits:
        tracemalloc.start()
        try:
            with pytest.raises(SourceError, match=f"^{site.address}: larger than 2 MB; name a page or a feed"):
                visits.visit(site.address)
            assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
        finally:
            tracemalloc.stop()


def test_a_bomb_in_a_single_piece_is_unpacked_in_small_ones():
    bomb = gzip.compress(bytes(2**26))
    tracemalloc.start()
    try:
        data, more = unpacked([bomb], "gzip", 2**20)
        assert (len(data), more) == (2**20, True)
        assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "body",
    [
        Answer(b"x" * 5000),
        Answer(b"x" * 1000, endless=True),
        packed(gzip.compress(b""), endless=True),
        packed(gzip.compress(PAGE), endless=True),
    ],
)
def test_endless_and_large_bodies_end_at_the_limit(body):
    limits = Limits(document=4000)
    with served({"/": body}) as site, visitor(site, limits=limits) as visits:
        with pytest.raises(SourceError, match=r"larger than \d MB; name a page or a feed"):
            visits.visit(site.address)
        assert len(site.asked("/")) == 1


def test_a_body_that_is_announced_too_large_is_not_read():
    large, reason = Answer(b"x", length=10**12), "larger than 20 MB"
    with served({"/": large}) as site, visitor(site) as visits, pytest.raises(SourceError, match=reason):
        visits.visit(site.address)


def test_a_visit_ends_in_time_however_slowly_the_server_drips():
    turned = TurnedClock()
    dripping = Answer(PAGE * 20, pause=0.1, pieces=400)
    with served({"/": dripping}) as site, visitor(site, turned, limits=Limits(total=3)) as visits:
        with pytest.raises(SourceError, match=f"^{site.address}: takes longer than 3 seconds; try again later"):
            visits.visit(site.address)
        assert not turned.slept


def test_nobody_waits_for_the_body_of_an_error():
    slow = Answer(b"x", status=404, pause=600)
    with served({"/": slow}) as site, visitor(site, limits=Limits(silence=2)) as visits:
        assert visits.visit(site.address) == Gone(site.address, 404)


def test_headers_that_drip_end_in_time_too():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        stop = threading.Event()

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                for _ in range(600):
                    if stop.wait(0.05):
                        return
                    with contextlib.suppress(OSError):
                        connection.sendall(b"X-A: b\r\n")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        visits = Visitor(named=[address], limits=Limits(total=1), clock=TurnedClock().clock)
        with visits, pytest.raises(SourceError, match=r"takes longer than 1 seconds"):
            visits.visit(address)
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "media_type", ["image/jpeg", "application/pdf", "application/octet-stream", "video/mp4", "application/zip"]
)
def test_what_is_no_text_is_not_read(media_type):
    answer, reason = Answer(b"\x00", media_type=media_type), f"neither a page nor a feed but {media_type}; name a page"
    with served({"/": answer}) as site, visitor(site) as visits, pytest.raises(SourceError, match=reason):
        visits.visit(site.address)


@pytest.mark.parametrize(
    "media_type",
    ["text/html", "TEXT/XML; charset=x", "application/atom+xml", "application/xml", "application/json", ""],
)
def test_what_is_text_is_read(media_type):
    with served({"/": Answer(PAGE, media_type=media_type)}) as site, visitor(site) as visits:
        assert visits.visit(site.address).media_type == media_type.partition(";")[0].lower()


def test_cookies_and_proxies_of_the_environment_play_no_part(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with served({"/": Answer(PAGE, headers={"Set-Cookie": "a=b"})}) as site, visitor(site) as visits:
        visits.visit(site.address)
        visits.visit(site.address)
        assert all("cookie" not in request.headers for request in site.requests)


def test_an_address_is_asked_for_as_it_is_written():
    with served() as site, visitor(site) as visits:
        visits.visit(site.at("/a%2Fb/Übung?q=ä&x=%20"))
        assert site.paths[-1] == httpx.URL(site.at("/a%2Fb/Übung?q=ä&x=%20")).raw_path.decode()
