"""Embedders: texts in, L2-normalized vectors out. The prefixes that tell queries from passages live here only."""

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archive.errors import ModelError
from archive.fetching import Progress
from archive.models import ModelStore, onnx_file
from archive.onnx_encoder import OnnxEncoder, read_json
from archive.settings import Settings

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """What the archive needs of an embedding model. `name` is what an archive remembers it was built with."""

    name: str

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimensions), in the order of `texts`, each row of length 1."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimensions), in the order of `texts`, each row of length 1."""


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What is put in front of a text before it is embedded."""

    query: str = ""
    passage: str = ""


def prefixes_of(name: str, folder: Path) -> Prefixes:
    """From the model's own prompts where its folder has any, E5's where it is called that, else none."""
    prompts = read_json(folder / "config_sentence_transformers.json").get("prompts")
    if isinstance(prompts, dict) and any(prompts.values()):
        passage = prompts.get("passage") or prompts.get("document") or ""
        return Prefixes(str(prompts.get("query") or ""), str(passage))
    return Prefixes("query: ", "passage: ") if "e5" in name.lower() else Prefixes()


def _normalized(vectors: Vectors) -> Vectors:
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(vectors / lengths, np.float32)


class OnnxEmbedder:
    """A model folder with an ONNX encoder, on CPU, without torch.

    An output `sentence_embedding` is taken as it is; token vectors are pooled as `1_Pooling/config.json` says (mean by
    default).
    """

    def __init__(self, folder: Path, name: str, *, threads: int = 0) -> None:
        model = onnx_file(folder)
        if model is None:
            raise ModelError(f"{folder} holds no ONNX encoder with a tokenizer.json; name another folder")
        self.name = name
        self._encoder = OnnxEncoder(model, folder / "tokenizer.json", threads=threads)
        self._prefixes = prefixes_of(name, folder)
        self._first_token = bool(read_json(folder / "1_Pooling" / "config.json").get("pooling_mode_cls_token"))
        outputs = self._encoder.outputs
        self._output = "sentence_embedding" if "sentence_embedding" in outputs else next(iter(outputs))
        width = outputs[self._output][-1]
        # An exporter may leave the width open; then one text tells.
        self.dimensions = width if isinstance(width, int) else self._embed([""], width=None).shape[1]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        return self._embed([self._prefixes.query + text for text in texts], self.dimensions)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        return self._embed([self._prefixes.passage + text for text in texts], self.dimensions)

    def _embed(self, texts: Sequence[str], width: int | None) -> Vectors:
        rows: list[Vectors] = []
        places: list[NDArray[np.intp]] = []
        for where, output, mask in self._encoder.run(texts, self._output):
            rows.append(output if output.ndim == 2 else self._pool(output, mask))
            places.append(where)
        if not rows:
            return np.zeros((0, width or 0), np.float32)
        vectors = np.empty((len(texts), rows[0].shape[1]), np.float32)
        vectors[np.concatenate(places)] = np.concatenate(rows)
        return _normalized(vectors)

    def _pool(self, tokens: Vectors, mask: NDArray[np.int64]) -> Vectors:
        if self._first_token:
            return tokens[:, 0]
        weights = mask[:, :, None].astype(np.float32)
        return np.asarray((tokens * weights).sum(axis=1) / weights.sum(axis=1), np.float32)


class SentenceTransformersEmbedder:
    """Any model that sentence-transformers loads, on GPU where there is one. Needs the extra `torch`."""

    def __init__(self, model: str | Path, name: str, *, threads: int = 0) -> None:
        if importlib.util.find_spec("sentence_transformers") is None:
            raise ModelError(f"model {name} needs sentence-transformers; run `pip install 'archivar[torch]'`")
        if threads:
            importlib.import_module("torch").set_num_threads(threads)
        try:
            self._model: Any = importlib.import_module("sentence_transformers").SentenceTransformer(str(model))
        except Exception as error:  # transformers, torch and the hub client each raise their own
            raise ModelError(f"can't load embedder {name}: {error}; name another model") from error
        self.name = name
        self._prefixes = prefixes_of(name, Path(model))
        self.dimensions = self._embed(["a"]).shape[1]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        return self._embed([self._prefixes.query + text for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        return self._embed([self._prefixes.passage + text for text in texts])

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        # `prompt=""`: the prefix is in front already; the model's own default prompt must not come on top.
        vectors = self._model.encode(list(texts), prompt="", convert_to_numpy=True, show_progress_bar=False)
        return _normalized(np.asarray(vectors, np.float32))


def load_embedder(settings: Settings, store: ModelStore, *, progress: Progress | None = None) -> Embedder:
    """The embedder that the settings name, ready to use; fetched first where it is missing. Raises ModelError."""
    place = store.path(settings.embedder, progress=progress)
    if onnx_file(place) is not None:
        return OnnxEmbedder(place, settings.embedder, threads=settings.threads)
    return SentenceTransformersEmbedder(place, settings.embedder, threads=settings.threads)
