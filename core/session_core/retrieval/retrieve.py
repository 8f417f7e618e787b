"""Text search: tokenization, and BM25 over candidate messages."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from session_core.turns import Message

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_LETTERS = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else ord(" ") for code in range(256))
"""A translation of ASCII to lower case, with blanks for all but letters and digits."""
STOP_WORDS = frozenset(
    "a about again all also am an and any are as at be because been but by can could did do does for from "
    "get had has have he her him his how i if in into is it its just like make me more my no not of on "
    "one or our out please she should so some tell than that the their them then there these they this to "
    "up us was we were what when where which who why will with would you your".split()
)
K1, B = 1.2, 0.75
"""BM25's usual constants (Robertson and Zaragoza, 2009, "The Probabilistic Relevance Framework")."""


RECIPROCAL = 60
"""The constant of reciprocal rank fusion; the value of the paper."""


def terms(text: str) -> list[str]:
    """The search terms of `text`, in order: lower case, without stop words. Identifiers are split ("ORD-17" is "ord",
    "17"); runs of Chinese, Japanese or Korean become character bigrams."""
    if text.isascii():
        # This takes a third of the pattern's time.
        plain = text.encode().translate(_LETTERS).decode()
        return [word for word in plain.split() if word not in STOP_WORDS]
    found = _WORD.findall(text.lower())
    words: list[str] = []
    for word in found:
        cjk = _CJK.search(word)
        if cjk is None:
            if word not in STOP_WORDS:
                words.append(word)
            continue
        run = cjk.group()
        words.extend(run[i : i + 2] for i in range(max(1, len(run) - 1)))
    return words


def ascii_words(text: str) -> list[bytes]:
    """As `terms` for an ASCII text, but with stop words, for callers that look each word up."""
    return text.encode().translate(_LETTERS).split()


def searchable(message: Message) -> str:
    """The text of a message for search."""
    calls = "\n".join(f"{call.name} {call.arguments}" for call in message.tool_calls)
    return f"{message.content}\n{calls}" if calls else message.content


def rank(query: str, candidates: Sequence[Message], *, max_hits: int) -> list[tuple[Message, float]]:
    """The candidates that share words with `query`, best first by BM25; of equal ones the newer first."""
    wanted = list(dict.fromkeys(terms(query)))
    bags = [Counter(terms(searchable(message))) for message in candidates]
    lengths = [sum(bag.values()) for bag in bags]
    average = (sum(lengths) / len(lengths)) if lengths else 1.0
    weights = {word: _rarity(sum(word in bag for bag in bags), len(bags)) for word in wanted}
    scored: list[tuple[Message, float]] = []
    for message, bag, length in zip(candidates, bags, lengths, strict=True):
        damping = K1 * (1 - B + B * length / (average or 1.0))
        score = sum(weights[word] * bag[word] * (K1 + 1) / (bag[word] + damping) for word in wanted if word in bag)
        if score > 0:
            scored.append((message, score))
    scored.sort(key=lambda pair: (-pair[1], -pair[0].seq))
    return scored[:max_hits]


def fuse(rankings: Sequence[Sequence[Message]], *, max_hits: int) -> list[Message]:
    """One ranking of several, by reciprocal ranks (Cormack, Clarke and Buettcher, 2009)."""
    scores: dict[int, float] = {}
    messages: dict[int, Message] = {}
    for ranking in rankings:
        for place, message in enumerate(ranking, start=1):
            messages[message.seq] = message
            scores[message.seq] = scores.get(message.seq, 0.0) + 1.0 / (RECIPROCAL + place)
    best = sorted(scores, key=lambda seq: (-scores[seq], -seq))[:max_hits]
    return [messages[seq] for seq in best]


def best_candidates(
    words: Sequence[float],
    near: Sequence[float] | None,
    tokens: Sequence[int],
    *,
    most: int,
    most_tokens: int,
) -> list[int]:
    """The indexes of at most `most` candidates, of about `most_tokens` together, in order.

    The newest get a quarter of the room; then, alternately, those with most of the query's `words` and those `near` to
    it in meaning, if known.
    """
    total = len(words)
    newest = range(total - 1, -1, -1)
    by_words = [place for place in sorted(newest, key=words.__getitem__, reverse=True) if words[place] > 0]
    by_meaning = [] if near is None else sorted(newest, key=near.__getitem__, reverse=True)
    chosen, taken = set[int](), 0
    for order, share in ((newest, 0.25), (_interleave(by_words, by_meaning), 1.0)):
        for place in order:
            if len(chosen) >= most * share or taken >= most_tokens * share:
                break
            if place not in chosen:
                chosen.add(place)
                taken += tokens[place]
    return sorted(chosen)


def _interleave(one: Sequence[int], other: Sequence[int]) -> Iterator[int]:
    for pair in zip_longest(one, other):
        yield from (place for place in pair if place is not None)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine similarity of two vectors; 0 if one of them is zero."""
    lengths = math.hypot(*one) * math.hypot(*other)
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0


def _rarity(holding: int, total: int) -> float:
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))
