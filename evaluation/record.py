"""What a run must say of itself so that its figures can be argued with: settings, models, packages, archive, input."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

from archive.archive import Archive
from archive.articles import TIME_ZONE
from archive.catalogue import CATALOGUE
from archive.fetching import sha256_of
from archive.models import ModelStore, onnx_file
from archive.settings import Settings
from evaluation.bootstrap import intervals
from evaluation.measures import Scores, summarize
from evaluation.runs import Evaluation, KeptRun, Result, Run, Shown

# What no figure depends on: where things lie, who may come in, how much is told. An address may hold a password.
IRRELEVANT = {
    "home", "models", "offline", "threads", "engine_timeout", "chroma_url", "host", "port", "webui_port", "public_url",
    "api_key", "generator_key", "generator_url", "log_level",
}  # fmt: skip
_PACKAGES = (
    "archivar",
    "chromadb",
    "tantivy",
    "onnxruntime",
    "tokenizers",
    "sentencepiece",
    "numpy",
    "ir-measures",
    "llama-cpp-python",
)
_DIGITS = 12  # of a SHA-256, enough to tell versions apart


def describe(
    evaluation: Evaluation,
    name: str,
    settings: Settings,
    archive: Archive,
    files: Iterable[Path],
    rows: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    missing: Sequence[str] = (),
    generator: bool = False,
) -> Run:
    """The run of `files` just measured; `rows` are what its questions earned, by stage or kind.

    `generator` says whether it answered, too. The counts are of questions and, for each column, of rows.
    """
    counts = archive.ledger.counts()
    store = ModelStore(settings.models, offline=True)
    names = {"embedder": archive.embedder.name, "reranker": settings.reranker_name}
    if generator:
        names["generator"] = settings.generator
    return Run(
        evaluation=evaluation, name=name, time=datetime.now(TIME_ZONE).replace(microsecond=0),
        settings=settings.model_dump(mode="json", exclude=IRRELEVANT),
        models={kind: _version(model, store) if model else "none" for kind, model in names.items()},
        packages=dict(_packages()),
        archive={
            "articles": counts.articles, "passages": counts.passages,
            "generation": archive.ledger.fact("generation") or "",
        },
        inputs={path.name: f"sha256 {sha256_of(path)[:_DIGITS]}" for path in files},
        counts={"questions": len(next(iter(rows.values()), ())), "missing": len(missing)},
        measures={column: summarize(scored) for column, scored in rows.items()},
        ci={column: intervals(scored) for column, scored in rows.items()},
        missing=list(missing),
    )  # fmt: skip


def _version(model: str, store: ModelStore) -> str:
    """The model's name with what pins its bytes, as far as that is known without fetching or reading gigabytes."""
    name = model.removeprefix("llamacpp:")
    if known := CATALOGUE.get(name):
        return f"{model} (sha256 {known.files[0].sha256[:_DIGITS]})"
    folder = Path(name).expanduser()
    weights = onnx_file(folder) if folder.is_dir() else None
    return f"{model} (sha256 {sha256_of(weights)[:_DIGITS]})" if weights else model


def _packages() -> Iterable[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue  # an extra that is not installed


def name_articles(
    archive: Archive, run: Run, results: Sequence[Result], documents: Mapping[str, str] | None = None
) -> KeptRun:
    """The run with title and date of every article that a report may name.

    `documents` is {article id: document id} for a benchmark, whose results hold documents.
    """
    articles = {document: article for article, document in (documents or {}).items()}
    ids = dict.fromkeys(
        chain.from_iterable(
            [*chain.from_iterable(result.gold), *(article for article, _ in result.last.found)] for result in results
        )
    )
    held = {name: archive.ledger.article(articles.get(name, name.lstrip("\0"))) for name in ids}
    shown = {name: Shown(title=article.title, published=article.published) for name, article in held.items() if article}
    return KeptRun(run, tuple(results), shown)


def by_column(results: Iterable[Result], kinds: Iterable[str]) -> dict[str, list[Scores]]:
    """What editors' questions earned: `overall`, then by kind, in the order of `kinds`."""
    known = list(results)
    rows = {"overall": [result.scores for result in known]}
    for kind in kinds:
        if of_kind := [result.scores for result in known if result.kind == kind]:
            rows[kind] = of_kind
    return rows
