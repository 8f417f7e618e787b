"""Counts the tokens of texts and messages offline, and says how exact the count is."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from math import ceil
from typing import Protocol

from session_core.counting.estimate import estimate
from session_core.counting.tables import CL100K, O200K, table
from session_core.runtime.forks import ForkSafeLock
from session_core.turns import Message

FRAMING_TOKENS = 4
"""What a provider adds for each message, and for each tool call in it."""

MEDIA_TOKENS = {"image": 1_600, "audio": 2_000, "video": 16_000, "file": 3_000}
"""Price of one part that is not text, since its real one depends on the provider and on its size.

An image at the resolution to which providers scale it down, about a minute of audio or video, two pages
of a document: the upper end of what OpenAI, Anthropic and Google publish.
"""

CACHED_TEXTS = 4_096
CACHED_CHARACTERS = 2_048
"""How many texts a counter caches, and their maximum length: 8 MB at most for plain ASCII."""

LONG_TEXTS = 256
"""Capacity of the cache for longer texts, by hash: text that is assembled for a view is counted when it is selected,
and again in the view. A full cache is cleared."""


class TokenCounter(Protocol):
    """Counts the tokens of a text. `exact` says that the figure is the provider's own."""

    name: str
    exact: bool

    def count(self, text: str) -> int:
        """Tokens of `text` alone, without framing; text that spells a special token is only text."""
        ...


class RememberingCounter:
    """Caches the results of `measure`, which must be deterministic. Thread-safe."""

    def __init__(self, measure: Callable[[str], int], name: str, exact: bool) -> None:
        self.name = name
        self.exact = exact
        self._measure = measure
        self._remembered = lru_cache(maxsize=CACHED_TEXTS)(measure)
        self._long: dict[tuple[int, int], int] = {}

    def count(self, text: str) -> int:
        if not text:
            return 0
        return self._remembered(text) if len(text) <= CACHED_CHARACTERS else self._counted_before(text)

    def _counted_before(self, text: str) -> int:
        # Python's own keyed 64-bit hash: hashlib's would release the GIL.
        known = len(text), hash(text)
        if (tokens := self._long.get(known)) is None:
            tokens = self._measure(text)
            if len(self._long) >= LONG_TEXTS:
                self._long.clear()
            self._long[known] = tokens
        return tokens

    def __repr__(self) -> str:
        return f"<TokenCounter {self.name}{'' if self.exact else ', not exact'}>"


_FAMILIES: tuple[tuple[re.Pattern[str], str, float], ...] = tuple(
    (re.compile(pattern), encoding, factor)
    for pattern, encoding, factor in (
        ("claude|anthropic", O200K, 1.3),
        ("mistral|mixtral|codestral|ministral|pixtral|magistral", O200K, 1.35),
        ("gemini|gemma|palm|learnlm", O200K, 1.15),
        ("llama|qwen|deepseek|command-|cohere|grok|nova|phi-|granite|kimi|glm|falcon|yi-|smollm", O200K, 1.2),
        (r"gpt-?4o|gpt-?4\.[1-9]|gpt-?[5-9]|chatgpt|gpt-oss|(?<![a-z0-9])o[1-9](?![a-z0-9])", O200K, 1.0),
        (r"gpt-?4|gpt-?3\.?5|text-embedding-(?:3|ada)|davinci-002|babbage-002", CL100K, 1.0),
    )
)
"""Model names, the table they are counted with, and the safety factor where the table is another's.

Factors are measured where the tokenizer is public, on English, code, JSON, 15 languages: Claude's older one
needs 1.0-1.6 times the tokens of o200k_base (median 1.2), Mistral's 1.05-1.9 (median 1.3), 100k-token
vocabularies 1.0-1.45 (median 1.1). The others are set by kinship. Figures by factor are never exact.
"""


def counter_for(model: str | None = None) -> TokenCounter:
    """The best counter on this machine for `model`, never by way of the network.

    OpenAI's models have their own table and are exact; other families are counted with o200k_base and
    a safety factor; an unknown name is counted with o200k_base as it is, and is not exact. Without any
    table the figure is an estimate, and a warning says so once per process.
    """
    name = (model or "").lower()
    for pattern, encoding, factor in _FAMILIES:
        if pattern.search(name):
            return _counter(encoding, factor, factor == 1.0)
    return _counter(O200K, 1.0, False)


def is_of_another_table(model: str) -> bool:
    """Whether the tokens of `model` are too few when it is not named to `counter_for`."""
    found = next((factor for pattern, _, factor in _FAMILIES if pattern.search(model.lower())), 1.0)
    return found > 1.0


def message_tokens(message: Message, counter: TokenCounter) -> int:
    """What `message` costs in a call: its text, names, tool calls, media by kind, and framing.

    A tool call costs its name, its arguments and a framing of its own; reasoning (`aside`) costs its
    text. What a framework keeps in `native` besides is not counted.
    """
    names = (message.tool_call_id, message.name, message.author)
    texts = sum(counter.count(text) for text in (message.content, message.aside, *names) if text)
    calls = sum(
        counter.count(call.name) + counter.count(call.arguments) + FRAMING_TOKENS for call in message.tool_calls
    )
    media = sum(MEDIA_TOKENS[part.kind] for part in message.media)
    return FRAMING_TOKENS + texts + calls + media


_counters: dict[tuple[str, float, bool], TokenCounter] = {}
_tables: dict[str, Callable[[str], int] | None] = {}
_building = ForkSafeLock()


def _counter(encoding: str, factor: float, exact: bool) -> TokenCounter:
    """One counter per table and factor; a table is read once per process, by one thread."""
    key = (encoding, factor, exact)
    with _building:
        if key not in _counters:
            if encoding not in _tables:
                _tables[encoding] = table(encoding)
            _counters[key] = _build(encoding, _tables[encoding], factor, exact)
        return _counters[key]


def _build(encoding: str, counted: Callable[[str], int] | None, factor: float, exact: bool) -> TokenCounter:
    name = encoding if counted else "estimate"
    if counted is None:
        _warn_once(encoding)
    measure = counted or estimate
    if factor == 1.0:
        return RememberingCounter(measure, name, exact and counted is not None)
    return RememberingCounter(lambda text: ceil(measure(text) * factor), f"{name} x {factor}", False)


_warned = False


def _warn_once(encoding: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"no token table for {encoding} is on this machine, so tokens are estimated (about 6 % too many "
            "on average) and views are a little smaller than they could be; for exact counts: "
            "pip install 'llm-sessions[langchain]', or bpe-openai alone, which contains its tables",
            stacklevel=5,
        )
