"""A run as it is kept: a folder with run.json, results.jsonl and articles.json, which reports and comparisons read.

run.json is written last, so a folder without it was never finished.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from archive.articles import TIME_ZONE
from archive.errors import ArchiveError, SettingsError, SourceError
from evaluation.bootstrap import Interval
from evaluation.measures import Scores

Evaluation = Literal["retrieval", "questions"]
T = TypeVar("T")
S = TypeVar("S", float, float | None)

_NAME = re.compile(r"[\w.-]{1,100}")


class Listed(BaseModel):
    """What one stage found for one question.

    `found` holds (article id, score), best first, each article once; the score is that of its best passage, None where
    the article was found by a deeper search than the server's own. `ranks` has one rank for each gold, None where the
    stage did not find it. `ms` and `scores` are there where the stage was run by itself.
    """

    found: list[tuple[str, float | None]]
    ranks: list[int | None]
    ms: float | None = None
    scores: Scores = {}


class Shown(BaseModel):
    """An article as a report names it."""

    title: str
    published: datetime | None = None


class CitedSource(BaseModel):
    """A source that an answer was shown with: `passage` is what was found of it, `excerpt` what the model read."""

    number: int
    article_id: str
    title: str
    published: datetime | None = None
    passage: str = ""
    excerpt: str = ""


class Sentence(BaseModel):
    """A sentence of an answer with its verdict.

    `holds` tells whether it cites a gold, None where it claims nothing or the question has none; `foreign` is what in
    it stands in none of the sources.
    """

    text: str
    cited: list[str] = []
    holds: bool | None = None
    marked: bool = False
    foreign: list[str] = []


class Result(BaseModel):
    """One question, what every stage found for it, and what it earned.

    `gold` holds, for each gold, the articles that are it. `kind`, periods and all below are of editors' questions only;
    `grounding` is the answer's own account of its sentences, `steps` are milliseconds by step of retrieval.
    """

    id: str
    question: str
    gold: list[list[str]]
    stages: dict[str, Listed]
    kind: str = ""
    earlier: list[str] = []
    meant: str | None = None
    understood: str | None = None
    must_contain: list[list[str]] = []
    expected: str = ""
    answer: str | None = None
    sources: list[CitedSource] = []
    sentences: list[Sentence] = []
    grounding: dict[str, Any] = {}
    steps: dict[str, float] = {}
    scores: Scores = {}
    failures: list[str] = []

    @property
    def last(self) -> Listed:
        """What the last stage found, which is what an answer would be written from."""
        return list(self.stages.values())[-1]

    @property
    def best_rank(self) -> int:
        """What rank() can be at best."""
        return len(self.gold) if self.kind == "multi" else 1

    def rank(self, stage: str | None = None) -> int | None:
        """The rank at a stage (the last one) that decides: of the first gold, for `multi` of the last."""
        ranks = (self.stages[stage] if stage else self.last).ranks
        if self.kind == "multi":
            return None if None in ranks else max((rank for rank in ranks if rank), default=None)
        return min((rank for rank in ranks if rank), default=None)


class Run(BaseModel):
    """What was measured, of what, and with what. `measures` and `ci` are {stage or kind: {measure: ...}}."""

    format: Literal[1] = 1
    evaluation: Evaluation
    name: str
    time: datetime
    settings: dict[str, Any]
    models: dict[str, str]
    packages: dict[str, str]
    archive: dict[str, int | str]
    inputs: dict[str, str]
    counts: dict[str, int]
    measures: dict[str, dict[str, int | float]]
    ci: dict[str, dict[str, Interval]]
    missing: list[str] = []


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run with its results, in the order of its questions, and the articles that they name, by id."""

    run: Run
    results: tuple[Result, ...]
    articles: Mapping[str, Shown]


def choose_folder(home: Path, name: str, out: Path | None) -> Path:
    """Where a run goes: `out`, else a new `<home>/evaluation/<name>-<time>`.

    Raises SettingsError where the name can't be one, or `out` holds something other than an earlier report.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"--name {name}: a name is letters, digits, dots, dashes and underscores, up to 100")
    if out is None:
        dated = home / "evaluation" / f"{name}-{datetime.now(TIME_ZONE):%Y%m%d-%H%M%S}"
        return next(path for path in _numbered(dated) if not path.exists())
    if out.exists() and not out.is_dir():
        raise SettingsError(f"--out {out}: is a file; name a folder")
    if out.exists() and any(out.iterdir()) and not (out / "report.md").exists():
        raise SettingsError(f"--out {out}: holds other files; name a new folder, or that of an earlier report")
    return out


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    yield from (path.with_name(f"{path.name}-{number}") for number in count(2))


def write_run(folder: Path, kept: KeptRun) -> None:
    """Make the folder and write results, articles and, last, run.json. Raises ArchiveError."""
    lines = (f"{result.model_dump_json(exclude_defaults=True)}\n" for result in kept.results)
    articles = {article: shown.model_dump(mode="json") for article, shown in kept.articles.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").unlink(missing_ok=True)
        (folder / "results.jsonl").write_text("".join(lines), encoding="utf-8")
        (folder / "articles.json").write_text(json.dumps(articles, ensure_ascii=False), encoding="utf-8")
        (folder / "run.json").write_text(f"{kept.run.model_dump_json(indent=1)}\n", encoding="utf-8")
    except OSError as error:
        raise ArchiveError(f"{folder}: {error.strerror}; name another folder with --out") from error


def read_run(folder: Path) -> KeptRun:
    """Read a run folder whole. Raises SourceError naming the file and, in results.jsonl, the line."""
    run: Run = _parse(TypeAdapter(Run), folder / "run.json", _text(folder / "run.json"))
    articles = _parse(TypeAdapter(dict[str, Shown]), folder / "articles.json", _text(folder / "articles.json"))
    path = folder / "results.jsonl"
    results: tuple[Result, ...] = tuple(
        _parse(TypeAdapter(Result), f"{path}, line {number}", line)
        for number, line in enumerate(_text(path).split("\n"), 1)  # splitlines() would split within a title, too
        if line
    )
    if len(results) != run.counts.get("questions") or not all(result.stages for result in results):
        raise SourceError(f"{path}: is not whole; run the evaluation again")
    return KeptRun(run, results, articles)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise SourceError(f"{path}: {reason}; name a folder that `archivar evaluate` wrote") from error


def _parse(adapter: TypeAdapter[T], where: object, text: str) -> T:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "it"
        raise SourceError(f"{where}: {field}: {first['msg']}; run the evaluation again") from error


def best_of_each(found: Iterable[tuple[str, S]]) -> list[tuple[str, S]]:
    """Of a list, best first, the best entry of each article, in its order."""
    best: dict[str, S] = {}
    for article, score in found:
        best.setdefault(article, score)
    return list(best.items())


def recall_curve(results: Iterable[Result], stage: str | None, depth: int) -> list[float]:
    """Recall at 1 to `depth` at a stage (None: the last), over the questions with a gold.

    Editors' questions need one gold, `multi` all of them; a benchmark's recall is the share of golds found.
    """
    sums, questions = [0.0] * depth, 0
    for result in results:
        if not result.gold:
            continue
        questions += 1
        ranks = (result.stages[stage] if stage else result.last).ranks
        if result.kind:
            ranks = [result.rank(stage)]
        for k in range(depth):
            sums[k] += sum(rank is not None and rank <= k + 1 for rank in ranks) / len(ranks)
    return [total / questions for total in sums] if questions else []
