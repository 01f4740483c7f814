"""Reservations against text and data mining (Article 4 of the EU directive 2019/790), where a machine can read them.

TDMRep, final report of the W3C community group of 10 May 2024: the file /.well-known/tdmrep.json, the header and the
meta tag `tdm-reservation`. Robots directives `noai` (DeviantArt, 2022) and `noml` (noml.info), as header X-Robots-Tag
and as meta tag. `ai-input=no` in robots.txt (contentsignals.org): content is not to be put before a language model.
What one of them reserves is reserved. TDMRep lets a page supersede the file; to see that, what the file reserves would
have to be fetched.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

import httpx
from lxml import etree  # type: ignore[import-untyped]

from ingest.web.robots import AGENT, Robots, matches

TDM_FILE = "/.well-known/tdmrep.json"
_DIRECTIVES = ("noai", "noml")
_MOST_RULES = 1000
# Directives whose own syntax has a colon, which else ends the name of a crawler.
_WITH_COLON = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


@dataclass(frozen=True, slots=True)
class TdmRule:
    """One rule of a tdmrep.json; `policy` is the address of its terms, or empty."""

    location: str
    reserved: bool
    policy: str = ""


def tdm_rules(data: bytes) -> tuple[TdmRule, ...]:
    """The rules of a tdmrep.json in order; none where it is none, as for a server without this protocol."""
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        return ()
    rules = []
    for entry in entries[:_MOST_RULES] if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(location := entry.get("location"), str):
            reserved = str(entry.get("tdm-reservation"))
            if reserved in ("0", "1"):
                rules.append(TdmRule(location, reserved == "1", str(entry.get("tdm-policy") or "")))
    return tuple(rules)


def reserved_by_file(rules: Iterable[TdmRule], address: str) -> str | None:
    """What reserves an address: the first rule that fits it decides."""
    for rule in rules:
        if matches(rule.location, address):
            return f"{TDM_FILE}{_terms(rule.policy)}" if rule.reserved else None
    return None


def reserved_by_robots(robots: Robots) -> str | None:
    """The signal against use in answers of a language model; those on search and on training don't matter here."""
    return "robots.txt (Content-Signal: ai-input=no)" if robots.signals.get("ai-input") == "no" else None


def reserved_by_headers(headers: httpx.Headers) -> str | None:
    """What reserves a response, by its headers."""
    if headers.get("tdm-reservation", "").strip() == "1":
        return f"the header tdm-reservation{_terms(headers.get('tdm-policy', ''))}"
    for value in headers.get_list("x-robots-tag"):
        for directive in _directives(value):
            if directive in _DIRECTIVES:
                return f"the header X-Robots-Tag ({directive})"
    return None


def reserved_by_page(html: bytes) -> str | None:
    """What reserves a page, by its meta tags: all of them, as a stray element in the head makes a parser end it."""
    said: dict[str, str] = {}
    try:
        for _, element in etree.iterparse(BytesIO(html), events=("start",), tag="meta", html=True):
            name, content = element.get("name", "").strip().lower(), element.get("content", "").strip()
            said[name] = f"{said[name]}, {content}" if name in said else content
    except etree.LxmlError:
        pass  # too broken to say anything
    if "1" in said.get("tdm-reservation", "").split(", "):
        return f"the meta tag tdm-reservation{_terms(said.get('tdm-policy', ''))}"
    for name in ("robots", AGENT):
        for directive in said.get(name, "").lower().split(","):
            if directive.strip() in _DIRECTIVES:
                return f"the meta tag {name} ({directive.strip()})"
    return None


def _directives(value: str) -> list[str]:
    """Those of an X-Robots-Tag that hold for Archivar: `noai`, `archivar: noai`, but not `otherbot: noai`."""
    name, colon, rest = value.lower().partition(":")
    if colon and "," not in name and name.strip() not in _WITH_COLON:
        if name.strip() not in (AGENT, "*"):
            return []
        value = rest
    return [directive.strip() for directive in value.lower().split(",")]


def _terms(policy: str) -> str:
    return f" (terms: {policy[:200]})" if policy else ""
