"""What `archivar train` does: gather -> mine -> hold out -> train -> export -> calibrate -> say what it gave."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.archive import Archive
from archive.catalogue import CATALOGUE
from archive.cross_encoder import build_cross_encoder
from archive.embedding import Embedder, OnnxEmbedder, load_embedder
from archive.encoder import read_e5s1
from archive.encoder_graph import BertShape, encoder_graph
from archive.errors import ModelError
from archive.fetching import sha256_of
from archive.ledger import Ledger
from archive.models import ModelStore
from archive.settings import Settings, load_settings
from archive.wheels import fetch_from_wheels
from evaluation.questions import find_golds, read_questions
from server.blending import write_blend
from server.generation import load_generators
from server.reranking import OnnxReranker
from server.retrieval import Retriever
from training import embedder as contrastive
from training import reranker
from training.calibration import calibrate
from training.encoder import require_torch
from training.examples import (
    Example,
    Judged,
    editors,
    headlines,
    held_out,
    read_judged,
    read_pairs,
    read_squad,
    teasers,
    write_judged,
)
from training.export import save_layers
from training.gains import gains_of_embedder, gains_of_reranker
from training.mining import DEPTH, EXACT, corpus_archive, mine
from training.synthesis import Synthesis, choose_passages

Say = Callable[[str], None]

_HELD_OUT = 0.12  # share of each origin's articles that calibration and the final word are said on
LIMITS = "sentence_bert_config.json"  # where a model folder says how many tokens it reads
_EVERY = 25  # steps between lines of progress


@dataclass(frozen=True, slots=True)
class Sources:
    """What is learned from: files, and how many headlines and passages of the archive in ARCHIVAR_HOME."""

    squad: tuple[Path, ...]
    pairs: tuple[Path, ...]
    questions: tuple[Path, ...]
    hold_out: tuple[Path, ...]
    headlines: int
    teasers: int
    synthetic: int


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every training needs: settings, models, and a folder that keeps what was mined and written."""

    settings: Settings
    store: ModelStore
    embedder: Embedder
    folder: Path

    @classmethod
    def open(cls) -> "Workshop":
        """From the environment. Raises ModelError where torch is missing or the embedder is not the default one."""
        require_torch()
        settings = load_settings()
        if "e5-small-q4.bin" not in {file.name for file in CATALOGUE[settings.embedder].files}:
            raise ModelError(f"{settings.embedder} has no weights to train from; unset ARCHIVAR_EMBEDDER")
        store = ModelStore(settings.models, offline=settings.offline)
        folder = settings.home / "training"
        folder.mkdir(parents=True, exist_ok=True)
        return cls(settings, store, load_embedder(settings, store), folder)

    @property
    def tokenizer(self) -> Path:
        """The embedder's tokenizer.json."""
        return self.store.path(self.settings.embedder) / "tokenizer.json"

    def weights(self) -> tuple[dict[str, NDArray[np.float32]], BertShape]:
        """The embedder's weights in fp32; the store keeps only what is made of them, so they are fetched once more."""
        file = CATALOGUE[self.settings.embedder].files[0]
        path = self.folder / file.name
        if not path.is_file() or sha256_of(path) != file.sha256:
            fetch_from_wheels(file, self.folder, lambda what, done, total: None)
        return read_e5s1(path.read_bytes())


def train_reranker(sources: Sources, recipe: reranker.Recipe, out: Path, say: Say) -> None:
    """A reranker in the folder `out`: layers.npz, blend.json, model.onnx and report.json."""
    workshop = Workshop.open()
    kept, held = held_out(gather(workshop, sources, say), _HELD_OUT)
    say(f"{len(kept):,} questions to learn from, {len(held):,} held out")
    weights, shape = workshop.weights()
    out.mkdir(parents=True, exist_ok=True)

    def keep(trained: reranker.Weights) -> None:
        say(f"kept {out / 'layers.npz'}: {save_layers(trained, shape.heads, out / 'layers.npz') / 1e6:.1f} MB")

    trained = reranker.train(weights, shape, workshop.tokenizer, kept, recipe, _progress(say), keep)
    finish_reranker(workshop, trained, shape.heads, recipe.longest, held, out, say)
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1), encoding="utf-8")


def finish_reranker(
    workshop: Workshop,
    trained: reranker.Weights,
    heads: int,
    longest: int,
    held: Sequence[Judged],
    out: Path,
    say: Say,
) -> None:
    """Export, calibrate on what was held out with the int8 model as it is served, and report.

    `longest` is the number of tokens that pairs were cut at, and will be.
    """
    (out / LIMITS).write_text(json.dumps({"max_seq_length": longest}) + "\n", encoding="utf-8")
    raw = _served(workshop, trained, heads, out)
    logits = [raw.logits(one.query, [candidate.text for candidate in one.candidates]) for one in held]
    # Only where one passage answers: of other questions what outranked the answer was left out, so that the fused score
    # would look infallible.
    sure = [place for place, one in enumerate(held) if one.origin in EXACT and one.unit == "passage"]
    slope, shift, blend = calibrate([held[place] for place in sure], [logits[place] for place in sure])
    # Folded into the last layer, so that the model's own logit is calibrated too where nothing is blended.
    trained["classifier.weight"] = trained["classifier.weight"] * np.float32(slope)
    trained["classifier.bias"] = trained["classifier.bias"] * np.float32(slope) + np.float32(shift)
    model = _served(workshop, trained, heads, out)
    write_blend(out, blend)
    report = gains_of_reranker(held, [slope * one + shift for one in logits], blend)
    (out / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    say(f"{model.name}: {json.dumps(report)}")


def _served(workshop: Workshop, trained: reranker.Weights, heads: int, out: Path) -> OnnxReranker:
    save_layers(trained, heads, out / "layers.npz")
    shutil.copyfile(workshop.tokenizer, out / "tokenizer.json")
    build_cross_encoder(out / "layers.npz", workshop.tokenizer.parent / "model.onnx", out / "model.onnx")
    return OnnxReranker(out, out.name, threads=workshop.settings.threads)


def train_embedder(sources: Sources, recipe: contrastive.ContrastiveRecipe, out: Path, say: Say) -> None:
    """An embedder in the folder `out`, and in report.json what it gives over the one that it was trained from."""
    import onnx

    workshop = Workshop.open()
    passages = [one for one in gather(workshop, sources, say) if one.unit == "passage"]
    kept, held = held_out(passages, _HELD_OUT)
    say(f"{len(kept):,} questions to learn from, {len(held):,} held out")
    weights, shape = workshop.weights()
    trained = contrastive.train(weights, shape, workshop.tokenizer, kept, recipe, _progress(say))
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(encoder_graph({**weights, **trained}, shape), str(out / "model.onnx"))
    shutil.copyfile(workshop.tokenizer, out / "tokenizer.json")
    prompts = {"prompts": {"query": contrastive.QUERY, "passage": contrastive.PASSAGE}}
    (out / "config_sentence_transformers.json").write_text(json.dumps(prompts), encoding="utf-8")
    report = gains_of_embedder(held, workshop.embedder, OnnxEmbedder(out, out.name))
    (out / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    say(f"{out}: {json.dumps(report)}")


def gather(workshop: Workshop, sources: Sources, say: Say) -> list[Judged]:
    """Questions of every origin with their mined candidates; what an earlier run has mined is read again."""
    outside = [example for path in sources.squad for example in read_squad(path)]
    outside += [example for path in sources.pairs for example in read_pairs(path)]
    judged = []
    if outside:
        corpus = workshop.folder / "corpus"
        archive = corpus_archive(outside, workshop.embedder, workshop.settings, corpus)
        judged += _mined(workshop, archive, outside, "outside", say)
        archive.close()
    archive = Archive.open(workshop.settings, workshop.embedder)
    left_out = golds_of(archive.ledger, sources.hold_out)
    articles = [article for article in archive.ledger.articles() if article.id not in left_out]
    for name, drawn in (
        ("editors", asked_of(archive, sources.questions, left_out, say)),
        ("headlines", headlines(articles, sources.headlines)),
        ("teasers", teasers(articles, sources.teasers)),
    ):
        if drawn:
            judged += _mined(workshop, archive, drawn, name, say)
    if sources.synthetic:
        examples = written(workshop, archive, sources.synthetic, left_out, say)
        judged += _mined(workshop, archive, examples, "synthetic", say)
    archive.close()
    if not judged:
        raise ModelError("nothing to learn from; name files with --squad or --pairs, or ingest articles")
    return judged


def golds_of(ledger: Ledger, files: Sequence[Path]) -> frozenset[str]:
    """Ids of the archive's articles that evaluation questions are about, by id or title."""
    golds = [gold for file in files for question in read_questions(file) for gold in question.gold]
    ids, titles = {str(gold.id) for gold in golds}, {gold.title for gold in golds}
    return frozenset(article.id for article in ledger.articles() if article.id in ids or article.title in titles)


def asked_of(archive: Archive, files: Sequence[Path], left_out: frozenset[str], say: Say) -> list[Example]:
    """Editors' questions that the archive answers, but for those about the articles in `left_out`."""
    asked = [question for path in files for question in read_questions(path)]
    if not asked:
        return []
    golds = {qid: [gold - left_out for gold in golds] for qid, golds in find_golds(archive, asked).items()}
    answered = editors(asked, golds, archive.ledger)
    say(f"{len(answered):,} of {len(asked):,} editors' questions stand alone and are answered by this archive")
    return answered


def written(workshop: Workshop, archive: Archive, count: int, left_out: frozenset[str], say: Say) -> list[Example]:
    """Questions that the generator writes for `count` passages; those of an earlier run are not written again."""
    passages = choose_passages(archive.ledger, count, left_out)
    synthesis = Synthesis(workshop.folder / "synthesis.jsonl")
    if any(passage.id not in synthesis for passage in passages):
        generator = load_generators(workshop.settings, workshop.store)[0]
        synthesis.write(generator, passages, _counted(say, "passages with questions"))
        if close := getattr(generator, "close", None):
            close()
    return synthesis.examples(passages)


def _mined(workshop: Workshop, archive: Archive, examples: Sequence[Example], name: str, say: Say) -> list[Judged]:
    told = "\0".join(f"{one.query}\1{one.positive.id}\1{one.line}" for one in examples)
    key = hashlib.sha256(told.encode()).hexdigest()[:12]
    path = workshop.folder / f"{name}-{key}.jsonl"
    if path.is_file():
        return read_judged(path)
    judged = mine(Retriever(archive, None, DEPTH), examples, _counted(say, f"questions mined ({name})"))
    write_judged(path, judged)
    return judged


def _counted(say: Say, what: str) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        if done % 200 == 0 or done == total:
            say(f"{done:,} of {total:,} {what}")

    return report


def _progress(say: Say) -> Callable[[int, int, float], None]:
    losses: list[float] = []

    def report(step: int, steps: int, loss: float) -> None:
        losses.append(loss)
        if step % _EVERY == 0 or step == steps:
            say(f"step {step:,} of {steps:,}, loss {np.mean(losses[-_EVERY:]):.3f}")

    return report
