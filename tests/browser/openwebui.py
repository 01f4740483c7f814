"""Open WebUI, started as the program starts it, and used as a person does: what to click and where to read.

No selector depends on the interface's language.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, sync_playwright
from pydantic import SecretStr

from archive.settings import Settings
from server.launch import OPEN_WEBUI, Children, Service
from server.openwebui import environment
from server.ports import free_port

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ERROR = 'div:has(> svg path[d^="m11.25 11.25.041-.02"])'  # the box with an i in a circle
STOP = '#message-input-container button:has(svg path[d^="M2.25 12c0-5.385"])'  # has no id, and its label is translated
LAST = "[...document.querySelectorAll('.chat-assistant')].pop()?.closest('[id^=\"message-\"]')"
READ = f"""() => {{
  const message = {LAST}, all = selector => [...message.querySelectorAll(selector)];
  return {{
    text: message.querySelector('#response-content-container .markdown-prose')?.innerText ?? '',
    statuses: all('.status-description').map(e => e.innerText),
    pills: all('#response-content-container .markdown-prose button > span.line-clamp-1').map(e => e.innerText),
    sources: all('button[id^="source-"]').map(e => e.innerText.split('\\n').pop()),
    follow_ups: all('button:has(> div.line-clamp-1)').map(e => e.innerText),
    errors: all('{ERROR}').map(e => e.innerText),
  }}
}}"""


@dataclass(frozen=True)
class Answer:
    """The last answer as it stands on the page."""

    text: str
    statuses: list[str]
    pills: list[str]
    sources: list[str]
    follow_ups: list[str]
    errors: list[str]


class Chat:
    """One chat in one tab. `external` collects every address outside `base` that the browser asks for."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.external: list[str] = []
        own = (base, base.replace("http", "ws", 1), "data:", "blob:", "about:")
        page.on("request", lambda request: None if request.url.startswith(own) else self.external.append(request.url))

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self.base}{path}", wait_until="domcontentloaded")
        self.page.wait_for_selector("#chat-input", timeout=60_000)
        self.page.wait_for_selector("#model-selector-model-button", timeout=30_000)

    def model(self) -> str:
        return self.page.inner_text("#model-selector-model-button").strip()

    def send(self, question: str) -> None:
        before = self.page.locator(".chat-assistant").count()
        self.page.click("#chat-input")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(question)
        self.page.click("#send-message-button")
        self.page.wait_for_function(
            f"() => document.querySelectorAll('.chat-assistant').length > {before}", timeout=15_000
        )

    def wait_done(self, timeout: float = 180) -> None:
        """The copy button comes when the message is done, and Stop goes."""
        self.page.wait_for_function(
            f"() => {LAST}?.querySelector('.copy-response-button') && !document.querySelector('{STOP}')",
            timeout=timeout * 1000,
        )

    def ask(self, question: str) -> Answer:
        self.send(question)
        self.wait_done()
        return self.answer()

    def answer(self) -> Answer:
        """Opens the list of sources first, where there is one."""
        self.page.wait_for_timeout(1000)  # sources and follow-ups come after the last word
        toggle = self._last().locator("button[aria-expanded=false].rounded-full")
        if toggle.count():
            toggle.last.click()
            self.page.wait_for_timeout(300)
        found: dict[str, Any] = self.page.evaluate(READ)
        return Answer(**found)

    def wait_error(self, timeout: float = 60) -> str:
        """What the box below the last answer says."""
        box = self._last().locator(ERROR)
        box.first.wait_for(timeout=timeout * 1000)
        return box.first.inner_text()

    def wait_text(self, part: str, timeout: float = 60) -> None:
        """Until that stands in the last answer, done or not."""
        self._last().locator(".markdown-prose", has_text=part).first.wait_for(timeout=timeout * 1000)

    def wait_follow_ups(self) -> None:
        self._last().locator("button:has(> div.line-clamp-1)").first.wait_for(timeout=30_000)

    def source_links(self, number: int) -> list[str]:
        """Addresses in the dialog of one source, the title's first; closes it again."""
        self._last().locator('button[id^="source-"]').nth(number - 1).click()
        dialog = self.page.locator("div[role=dialog].modal").last
        dialog.wait_for()
        links: list[str] = dialog.locator("a[target=_blank]").evaluate_all("links => links.map(link => link.href)")
        for _ in range(10):  # the dialog listens only once its opening animation is over
            self.page.keyboard.press("Escape")
            self.page.wait_for_timeout(500)
            if not dialog.count():
                return links
        raise AssertionError("the dialog of a source doesn't close")

    def stop(self) -> None:
        self.page.click(STOP)

    def reload(self) -> None:
        self.page.reload(wait_until="domcontentloaded")
        self.page.wait_for_selector(".chat-assistant", timeout=60_000)
        self.wait_done(60)

    def _last(self) -> Locator:
        return self.page.locator('[id^="message-"]:has(.chat-assistant)').last


def need(path: Path, mend: str) -> None:
    """Skips, or fails where ARCHIVAR_TESTS_STRICT is set: CI must not pass by skipping."""
    if not path.exists():
        reason = f"{path} is missing: {mend}"
        if os.environ.get("ARCHIVAR_TESTS_STRICT"):
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def open_webui(home: Path, key: str, api: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Open WebUI with our settings and then with these, its data below `home`; yields its address."""
    need(CHROMIUM, "apt-get install chromium")
    need(OPEN_WEBUI, "make setup")
    port = free_port("127.0.0.1")
    webui = f"http://127.0.0.1:{port}"
    argv = (str(OPEN_WEBUI), "serve", "--host", "127.0.0.1", "--port", str(port))
    ours = environment(Settings(home=home, api_key=SecretStr(key)), api, (webui,))
    service = Service("Open WebUI", argv, {**ours, **settings}, home / "log", (f"{webui}/health",))
    with Children([service]) as children:
        children.wait_ready(print)
        yield webui


@contextmanager
def browsing(base: str, profile: Path) -> Iterator[Chat]:
    """A new browser, with no memory of earlier ones."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            headless=True,
            executable_path=CHROMIUM,
            locale="en-US",  # so that a German interface is our doing
            viewport={"width": 1280, "height": 900},
            args=list(FLAGS),
        )
        yield Chat(context.pages[0], base)
        context.close()
