"""Identifiers: names made of digits (`CVE-2021-44228`, `2.15.0`, `GPT-4`, `3:1`), compared letter by letter."""

import re
from functools import lru_cache

from server.grounding.numerals import THOUSANDS

_IDENTIFIER = re.compile(
    r"(?<![\w-])(?=[\w.+/-]*\d)[^\W\d_][\w+]*(?:[-/.][\w+]+)*"  # GPT-4, Log4j, CVE-2021-44228, C-793/19
    r"|(?<![\w.,])\d+(?:\.\d+){2,}[-\w]*"  # 2.15.0
    r"|(?<![\w.,:/])\d+[:/]\d+(?:[:/]\d+)*(?!\w)"  # 3:1, 14:30
    r"|(?<![\w.,-])\d+[A-Za-zÄÖÜ]+\w*"  # 5G, 9Live
    r"|(?<![\w.,])\d+\.\d+-[A-Za-z]+\d+"  # 2.0-beta9
)


def identifiers(text: str) -> list[tuple[int, int, str]]:
    """Names made of letters and digits, as start, end and squeezed spelling: `gpt4`, `cve202144228`, `2.15.0`."""
    found = []
    for match in _IDENTIFIER.finditer(text):
        if THOUSANDS.fullmatch(match[0]):
            continue
        core = re.sub(r"(?:-[^\W\d_]+)+$", "", match[0]).rstrip(".-/")
        if any(letter.isdigit() for letter in core):
            found.append((match.start(), match.start() + len(core), squeezed(core)))
    return found


def squeezed(text: str) -> str:
    """Lower case without the hyphens and spaces beside letters: gpt4 for GPT-4, yet cve2021-44228."""
    return re.sub(r"(?<!\d)[\s\-–_]+|[\s\-–_]+(?!\d)", "", text.lower())


@lru_cache(maxsize=4096)
def spelling_of(identifier: str) -> re.Pattern[str]:
    """Any spelling of a squeezed identifier in lower-case text, where it is not the beginning of a longer number."""
    runs = re.split(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])", identifier)
    spelled = r"[\s–-]?".join(re.escape(run) for run in runs)
    return re.compile(rf"(?<!\w){spelled}(?!\d|\.\d)")
