"""Pages of which only the beginning is free: how they are told, and where what is free ends."""

import re
from typing import Any

# heise+ puts this element where the free part ends; its JSON-LD says the same, but not on every page that was saved.
_BARRIER = "boolean(//*[local-name()='a-paid-content-teaser'])"
_LONGEST = 300  # characters of one paragraph of an offer; a longer one that speaks of subscriptions is the article's
_OFFER = re.compile(
    r"""
      \bheise(?:\+|-Plus|\ plus)
    | \b(?:jetzt|direkt|sofort|hier|kostenlos|gratis|unbegrenzt)\b.{0,60}\b(?:weiterlesen|freischalten|testen)\b
    | \bweiterlesen\ mit\b | \bArtikel\ (?:jetzt\ )?(?:lesen|freischalten|kaufen)\b
    | \b(?:Digitalabo|digitale\ Abo|Probeabo|Probemonat|Testphase|Abomodell|Abo-Modell)
    | \bAbonnent(?:en|innen)?\b.{0,40}\b(?:anmelden|einloggen|lesen) | \b(?:bereits|schon)\b.{0,20}\babonnent
    | \bjetzt\ (?:abonnieren|bestellen|anmelden) | \bZugriff\ auf\ alle\b | \bmonatlich\ kündbar\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


def is_paid(page: Any) -> bool:  # noqa: ANN401  # lxml has no types
    """True where the page (an lxml tree) ends at a barrier."""
    return bool(page.xpath(_BARRIER))


def free_part(text: str) -> str:
    """The paragraphs of a paid article before the first that offers a subscription: behind it there are only offers.

    Where long paragraphs follow, a subscriber saved the page, and the offer is one that the article speaks of.
    """
    paragraphs = text.split("\n\n")
    end_of_long_ones = max((number for number, one in enumerate(paragraphs, 1) if len(one) > _LONGEST), default=0)
    for number, paragraph in enumerate(paragraphs[end_of_long_ones:], end_of_long_ones):
        if _OFFER.search(paragraph):
            return "\n\n".join(paragraphs[:number])
    return text
