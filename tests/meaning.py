"""Embeddings for tests: a few words with one meaning each, the same everywhere, without a model."""

from __future__ import annotations

from zlib import crc32

from langchain_core.embeddings import Embeddings

from session_core.language.words import content_words

SAME = {"automobile": "car", "vehicle": "car", "doctor": "physician", "pet": "cat", "colour": "paint", "red": "paint"}
SIZE = 64


class Meanings(Embeddings):
    """A text is the sum of its words; words of one meaning are one."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        vector = [0.0] * SIZE
        vector[0] = 0.01
        for word in content_words(text):
            vector[crc32(SAME.get(word, word).encode()) % SIZE] += 1.0
        return vector
