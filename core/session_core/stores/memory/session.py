"""The data of one session in the in-memory store."""

from __future__ import annotations

from dataclasses import dataclass, field

from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import Checkpoint, Plain, State, Stored, Write
from session_core.turns import Message


@dataclass(slots=True)
class MemorySession:
    """One session or namespace. Callers hold the store's lock."""

    state: State
    touched_s: float = 0.0
    log: list[Message] = field(default_factory=list)
    by_id: dict[str, dict[bytes, int]] = field(default_factory=dict)
    words: dict[str, list[int]] = field(default_factory=dict)
    digests: list[Digest] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    values: dict[tuple[str, str], Plain | Stored] = field(default_factory=dict)
    writes: dict[str, dict[tuple[str, int], Write]] = field(default_factory=dict)
