"""Visitor: the one way to the web, with the manners that publishers can expect."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpcore
import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from archive.errors import SourceError
from ingest.web.addresses import endpoint, parsed, same_site
from ingest.web.exchange import Answer, Limits, Passing, Unreachable, Wire
from ingest.web.house_rules import HouseRules, learn
from ingest.web.network import CheckedNetwork, Endpoint, Resolve, resolve
from ingest.web.pacing import Clock, Pace, retry_after
from ingest.web.reservations import reserved_by_headers, reserved_by_page
from ingest.web.robots import LARGEST
from ingest.web.visits import Fetched, Gone, Refused, Unchanged, Validators

if TYPE_CHECKING:
    from archive.settings import Settings

_MOVED = (301, 308)
_REDIRECTS = (*_MOVED, 302, 303, 307)
_backoff = wait_exponential_jitter(initial=1, max=30)


class Visitor:
    """Fetches pages and feeds, one at a time: robots.txt and reservations obeyed, slowly, within limits.

    `named` are the addresses that the user wrote themselves: only their hosts and ports may lie in a private network.
    `licensed` are hosts, with those below them, whose reservations don't hold since the user has a licence.
    `crawl_delay` is in seconds between two requests to a host; a robots.txt may ask for more. `network` and `resolve`
    stand in for the real ones. Safe for several threads; they wait for each other.
    """

    def __init__(
        self,
        *,
        named: Iterable[str] = (),
        contact: str = "",
        crawl_delay: float = 1.0,
        licensed: Iterable[str] = (),
        limits: Limits | None = None,
        clock: Clock | None = None,
        network: httpcore.NetworkBackend | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self._delay = crawl_delay
        self._licensed = tuple(licensed)
        self._limits = limits or Limits()
        self._clock = clock or Clock()
        self._pace = Pace(self._clock, self._limits.longest_wait)
        checked = CheckedNetwork(_endpoints(named), network or httpcore.SyncBackend(), resolve)
        self._wire = Wire(checked, self._limits, user_agent(contact))
        self._rules: dict[tuple[str, str, int], tuple[float, HouseRules]] = {}  # with the time until which they hold
        self._reached: set[str] = set()
        self._lock = threading.Lock()

    @classmethod
    def with_settings(
        cls,
        settings: "Settings",
        named: Iterable[str] = (),
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """As the user has set it up; the others as above."""
        return cls(
            named=named,
            contact=settings.contact,
            crawl_delay=settings.crawl_delay,
            licensed=settings.licensed_hosts.replace(",", " ").lower().split(),
            limits=limits,
            clock=clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close connections that were kept open."""
        self._wire.close()

    def visit(self, address: str, known: Validators | None = None) -> Fetched | Unchanged | Gone:
        """Fetch a page or feed, or learn that it has not changed since `known` was true.

        May wait: for the crawl delay, and for a server that is busy. Raises Refused and SourceError with one line.
        """
        first = parsed(address)
        with self._lock:
            try:
                answer, last, passed = self._follow(first, _conditions(known), self._permit, self._accept)
                match answer.status:
                    case 200:
                        return self._fetched(answer, last, passed)
                    case 304 if known is not None:
                        return Unchanged(address)
                    case 404 | 410:
                        return Gone(address, answer.status)
                raise SourceError(f"the server answers {answer.line}; check the address")
            except SourceError as error:
                kind = Refused if isinstance(error, Refused) else SourceError
                raise kind(f"{address}: {error}") from error

    def _fetched(self, answer: Answer, url: httpx.URL, passed: tuple[str, ...]) -> Fetched:
        if not answer.whole:
            raise self._too_large()
        if answer.media_type in ("", "text/html", "application/xhtml+xml"):
            self._respect(reserved_by_page(answer.body), url)
        said = Validators(answer.headers.get("etag"), answer.headers.get("last-modified"))
        return Fetched(answer.body, str(url), answer.media_type, said, passed)

    def _follow(
        self,
        first: httpx.URL,
        headers: Mapping[str, str],
        permit: Callable[[httpx.URL], float | None],
        accept: Callable[[httpx.URL, Answer], None],
        limit: int | None = None,
    ) -> tuple[Answer, httpx.URL, tuple[str, ...]]:
        """The answer, its address, and those that have moved there. `permit` gives the delay before a request."""
        url, passed = first, list[str]()
        for _ in range(self._limits.redirects + 1):
            delay = permit(url)
            answer = self._get(url, headers, delay, limit or self._limits.document, accept)
            if answer.status not in _REDIRECTS:
                return answer, url, tuple(passed)
            passed = [*passed, str(url)] if answer.status in _MOVED else []
            url = _target(first, url, answer)
        raise SourceError(f"more than {self._limits.redirects} redirects; check the address")

    def _get(
        self,
        url: httpx.URL,
        headers: Mapping[str, str],
        delay: float | None,
        limit: int,
        accept: Callable[[httpx.URL, Answer], None],
    ) -> Answer:
        """Asks until it is answered, or often enough; with `delay` seconds to the requests before and after it."""

        def once() -> Answer:
            self._pace.wait(host, delay or 0.0)
            try:
                answer = self._wire.get(url, headers, limit, lambda answer: accept(url, answer))
            except Unreachable as error:
                if host not in self._reached:
                    raise
                # Whoever answered before may be back in a moment; a wrong address never is.
                raise Passing(str(error)) from error
            finally:
                if delay is not None:
                    self._pace.done(host)
            self._reached.add(host)
            if answer.status == 429 or answer.status >= 500:
                raise self._busy(host, answer)
            return answer

        host = endpoint(url)[0]
        asking = Retrying(
            stop=stop_after_attempt(self._limits.tries), wait=_pause, retry=retry_if_exception_type(Passing),
            sleep=self._clock.sleep, reraise=True,
        )  # fmt: skip
        return asking(once)

    def _busy(self, host: str, answer: Answer) -> SourceError:
        wait = retry_after(answer.headers.get("retry-after", ""), self._clock.now())
        if wait is not None:
            self._pace.rest(host, wait)
        if wait is not None and wait > self._limits.longest_wait:
            return SourceError(f"the server answers {answer.line} and asks to come back in {wait:.0f} seconds")
        return Passing(f"the server answers {answer.line}; try again later", wait)

    def _permit(self, url: httpx.URL) -> float:
        """The delay before a request to an address. Raises Refused where it may not be fetched at all."""
        rules = self._rules_of(url)
        rules.permit(url, self._limits.longest_delay)
        self._respect(rules.reservation(url), url)
        return max(self._delay, rules.robots.delay)

    def _rules_of(self, url: httpx.URL) -> HouseRules:
        origin, now = (url.scheme, *endpoint(url)), self._clock.monotonic()
        until, rules = self._rules.get(origin, (now, None))
        if rules is None or until <= now:
            # The two small files come once a day: they wait for nothing, and nothing waits for them.
            rules = learn(url, lambda url: self._follow(url, {}, lambda _: None, lambda *_: None, LARGEST)[0])
            self._rules[origin] = now + rules.hold, rules
        return rules

    def _accept(self, url: httpx.URL, answer: Answer) -> None:
        """Looks at an answer before its body is read."""
        if answer.status in (200, 304):
            self._respect(reserved_by_headers(answer.headers), url)
        if answer.status != 200:
            return
        if not _is_text(answer.media_type):
            raise SourceError(f"neither a page nor a feed but {answer.media_type}; name a page or a feed")
        length = answer.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._limits.document:
            raise self._too_large()

    def _respect(self, reservation: str | None, url: httpx.URL) -> None:
        host = endpoint(url)[0]
        if reservation and not any(host == other or host.endswith(f".{other}") for other in self._licensed):
            mend = f"if the publisher gave you a licence, add {host} to ARCHIVAR_LICENSED_HOSTS"
            raise Refused(f"reserved against text and data mining by {reservation}; {mend}")

    def _too_large(self) -> SourceError:
        return SourceError(f"larger than {self._limits.document // 2**20} MB; name a page or a feed")


def user_agent(contact: str) -> str:
    """Who is visiting, and whom to write to."""
    return f"Archivar/{version('archivar')} ({f'+{contact}' if contact else 'news archive; no contact given'})"


def _endpoints(addresses: Iterable[str]) -> Iterator[Endpoint]:
    for address in addresses:
        with suppress(SourceError):  # which its visit will tell
            yield endpoint(parsed(address))


def _conditions(known: Validators | None) -> dict[str, str]:
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified} if known else {}
    return {name: value for name, value in headers.items() if value}


def _target(first: httpx.URL, url: httpx.URL, answer: Answer) -> httpx.URL:
    """Where a redirect leads. Raises SourceError where that is another site, or no address of the web."""
    try:
        target = parsed(str(url.join(answer.headers.get("location", ""))))
    except (SourceError, httpx.InvalidURL) as error:
        raise SourceError(f"the server sends elsewhere, but {error}") from error
    if not same_site(first, target):
        raise SourceError(f"the server sends to another site, {target.host}; name that address if you want it")
    return target


def _pause(state: RetryCallState) -> float:
    """Seconds until the next try: longer each time, and no shorter than the server asks for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, Passing) else None
    return max(_backoff(state), asked or 0.0)


def _is_text(media_type: str) -> bool:
    return not media_type or media_type.startswith("text/") or media_type.endswith(("+xml", "/xml", "+json", "/json"))
