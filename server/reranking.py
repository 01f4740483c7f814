"""Rerankers: how well each passage answers a query, judged by a model that reads both together."""

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archive.articles import Hit
from archive.errors import ModelError
from archive.fetching import Progress
from archive.models import ModelStore, onnx_file
from archive.onnx_encoder import OnnxEncoder
from archive.settings import Settings
from server.blending import Blend, features_of, read_blend

Scores = NDArray[np.float32]


class Reranker(Protocol):
    """What retrieval needs of a reranking model. `blend` puts its logit together with the scores of retrieval."""

    name: str
    blend: Blend | None

    def logits(self, query: str, passages: Sequence[str]) -> Scores:
        """Shape (passages,), in their order: log-odds that a passage answers the query, judged by the texts alone."""


def probabilities(logits: Scores) -> Scores:
    """Log-odds (n,) as probabilities, 0 to 1."""
    return (0.5 * (1 + np.tanh(logits / 2))).astype(np.float32)  # the sigmoid, in the form that can't overflow


def log_odds(outputs: Scores) -> Scores:
    """A model's outputs as one logit each: (n, 1) or (n,) as they are, of (n, 2), "no" and "yes", the difference."""
    if outputs.ndim == 2 and outputs.shape[1] > 2:
        raise ModelError(f"a reranker has one or two logits, this model has {outputs.shape[1]}; name a cross-encoder")
    # The softmax of two logits is the sigmoid of their difference.
    return outputs[:, 1] - outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 2 else outputs.reshape(-1)


class OnnxReranker:
    """A model folder with an ONNX cross-encoder, on CPU, without torch."""

    def __init__(self, folder: Path, name: str, *, threads: int = 0) -> None:
        model = onnx_file(folder)
        if model is None:
            raise ModelError(f"{folder} holds no ONNX cross-encoder with a tokenizer.json; name another folder")
        self.name = name
        self.blend = read_blend(folder)
        self._encoder = OnnxEncoder(model, folder / "tokenizer.json", threads=threads)
        if "logits" not in self._encoder.outputs:
            raise ModelError(f"{model} gives no logits: it is no cross-encoder; name one in ARCHIVAR_RERANKER")

    def logits(self, query: str, passages: Sequence[str]) -> Scores:
        """See Reranker."""
        scores = np.zeros(len(passages), np.float32)
        for places, outputs, _mask in self._encoder.run([(query, passage) for passage in passages], "logits"):
            scores[places] = log_odds(outputs)
        return scores


class CrossEncoderReranker:
    """Any cross-encoder that sentence-transformers loads, on GPU where there is one. Needs the extra `torch`."""

    def __init__(self, model: str | Path, name: str, *, threads: int = 0) -> None:
        if importlib.util.find_spec("sentence_transformers") is None:
            raise ModelError(f"model {name} needs sentence-transformers; run `pip install 'archivar[torch]'`")
        torch = importlib.import_module("torch")
        if threads:
            torch.set_num_threads(threads)
        try:
            self._model: Any = importlib.import_module("sentence_transformers").CrossEncoder(str(model))
        except Exception as error:  # transformers, torch and the hub client each raise their own
            raise ModelError(f"can't load reranker {name}: {error}; name another model") from error
        self._identity = torch.nn.Identity()  # a model's own activation may be none, or softmax: ours takes logits
        self.name = name
        self.blend: Blend | None = None

    def logits(self, query: str, passages: Sequence[str]) -> Scores:
        """See Reranker."""
        if not passages:
            return np.zeros(0, np.float32)
        pairs = [(query, passage) for passage in passages]
        outputs = self._model.predict(pairs, activation_fn=self._identity, show_progress_bar=False)
        return log_odds(np.asarray(outputs, np.float32))


def load_reranker(settings: Settings, store: ModelStore, *, progress: Progress | None = None) -> Reranker | None:
    """The reranker that the settings name, fetched first where it is missing; None where they name none."""
    if not settings.reranker_name:
        return None
    place = store.path(settings.reranker_name, progress=progress)
    if onnx_file(place) is not None:
        return OnnxReranker(place, settings.reranker, threads=settings.threads)
    return CrossEncoderReranker(place, settings.reranker, threads=settings.threads)


def rerank(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits in the order of their probability to answer `query`, which becomes their score.

    The log-odds of a model with a blend are kept, too: they are of one scale, whatever the model's copy.
    """
    logits = reranker.logits(query, [hit.passage.embedded_text for hit in hits]).tolist()
    if reranker.blend is None:
        scores = probabilities(np.array(logits, np.float32)).tolist()
        judged = [{"reranked": score} for score in scores]
    else:
        scores = reranker.blend.probabilities(features_of(logits, [hit.scores for hit in hits])).tolist()
        judged = [{"reranked": score, "logit": logit} for score, logit in zip(scores, logits, strict=True)]
    scored = [
        replace(hit, score=score, scores={**hit.scores, **own})
        for hit, score, own in zip(hits, scores, judged, strict=True)
    ]
    return sorted(scored, key=lambda hit: -hit.score)
