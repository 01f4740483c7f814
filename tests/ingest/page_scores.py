"""How well article pages are read: words of the text against a ground truth, F1 of each page.

    python tests/ingest/page_scores.py ../shared/data

prints the mean over the publishers' pages and the worst five, for what ingest makes of them and for trafilatura alone.
The ground truth is what fundus' own parsers made of these pages, so that with them, for hosts that they know, the
score is high by nature; trafilatura's is the one to expect of a publisher that no parser knows.
"""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ingest.clean import clean
from ingest.report import Found
from ingest.sources.extraction import by_trafilatura
from ingest.sources.page import read_page
from ingest.sources.raw import document
from ingest.sources.records import Origin
from ingest.sources.tree import parsed

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Score:
    page: str
    title_right: bool
    date_right: bool
    f1: float
    recall: float
    trafilatura: float


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def overlap(found: str, truth: str) -> tuple[float, float]:
    """F1 and recall over words, each counted as often as it stands there."""
    ours, theirs = words(found), words(truth)
    both = (ours & theirs).total()
    return 2 * both / max(ours.total() + theirs.total(), 1), both / max(theirs.total(), 1)


def scores(shared: Path) -> Iterator[Score]:
    folder = shared / "german_news" / "fundus_de"
    truths = defaultdict(list)
    for line in document(folder / "groundtruth.jsonl.gz").splitlines():
        truths[(record := json.loads(line))["publisher"]].append(record)
    for path in sorted((folder / "pages").glob("*.html.gz")):
        data = document(path)
        html = parsed(data)[0]
        # A publisher has a ground truth for each layout; this page's is the one whose words stand in it.
        truth = max(truths[path.name.partition("_")[0]], key=lambda truth: overlap(html, truth["text"])[1])
        yield _score(path.name, data, html, truth)


def _score(name: str, data: bytes, html: str, truth: dict[str, str]) -> Score:
    [record] = read_page(data, Origin(name, name, NOW))
    if not isinstance(record, Found):
        return Score(name, False, False, 0, 0, 0)
    article = clean(record.article)
    plain = by_trafilatura(html, article.url or "")
    alone = clean(replace(article, text=plain.text)).text if plain else ""
    f1, recall = overlap(article.text, truth["text"])
    day = article.published.astimezone(UTC).date() if article.published else None
    days = {article.published.date(), day} if article.published else set()
    return Score(
        name,
        words(article.title) == words(truth["title"]),
        datetime.fromisoformat(truth["date"]).date() in days,
        f1,
        recall,
        overlap(alone, truth["text"])[0],
    )


def table(found: list[Score]) -> str:
    """Means, and the worst five pages."""
    lines = [
        f"{len(found)} pages: F1 {sum(score.f1 for score in found) / len(found):.4f}, "
        f"trafilatura alone {sum(score.trafilatura for score in found) / len(found):.4f}, "
        f"titles {sum(score.title_right for score in found)}, dates {sum(score.date_right for score in found)}"
    ]
    for score in sorted(found, key=lambda score: score.f1)[:5]:
        lines.append(f"{score.f1:.3f}  recall {score.recall:.3f}  {score.page}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(list(scores(Path(sys.argv[1])))) + "\n")
