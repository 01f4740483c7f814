"""An embedder whose nearness is plain to see, for tests where the vectors' quality doesn't matter."""

import numpy as np


class WordEmbedder:
    """Bags of words: texts that share words are near."""

    name = "bag-of-words"
    dimensions = 64

    def embed_passages(self, texts):
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[sum(word.strip("?.,").encode()) % self.dimensions] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    embed_queries = embed_passages


class LetterEmbedder:
    """Bags of letters, of another width: where one of its vectors met one of words, Chroma would refuse it.

    `between` is called before each batch of passages, with the number of passages embedded so far.
    """

    name = "bag-of-letters"
    dimensions = 128

    def __init__(self, between=lambda embedded: None):
        self.between = between
        self.embedded = 0

    def embed_queries(self, texts):
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text.lower():
                row[ord(letter) % self.dimensions] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def embed_passages(self, texts):
        self.between(self.embedded)
        self.embedded += len(texts)
        return self.embed_queries(texts)
