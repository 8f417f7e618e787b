"""Marks on messages that were changed or generated for a view, and how to verify that a mark still applies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b

MARK = "llm_sessions"
"""The key under which adapters put a mark on a framework's message."""


def words_hash(*said: object) -> str:
    """16 characters that change when any of the words do."""
    return blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()


def synthetic_id(origin: str, content: str, covers: Sequence[Sequence[int]]) -> str:
    """The id of a generated message: the same text for the same part has the same id."""
    return f"llm-sessions:{origin}:{words_hash(content, [list(pair) for pair in covers])}"
