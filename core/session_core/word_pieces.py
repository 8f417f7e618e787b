"""Token counts of texts by cached pieces, since the same pieces occur again and again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

BLANK = "▁"
"""Stands for a blank in the vocabulary, and before each text."""
KNOWN_PIECES = 100_000
"""How many pieces are kept, some 200 bytes each; a full memory starts afresh."""
LONGEST_PIECE = 40
"""A longer piece hardly comes again."""
_PIECES = re.compile(rf"[0-9\n]|{BLANK}*[^{BLANK}0-9\n]+|{BLANK}+")
_BYTE = re.compile("<0x[0-9A-F]{2}>")
_TRIAL = "Two  blanks, ÀÉ Straße ﬁ Ｗｉｄｅ x²\t½ e\u0301 İ ＩＶ 中文かな 12\n\n  ß…“q” don't "
"""Has what tokenizers are known to change before they read: case, widths, ligatures, accents, blanks."""
Ids = Callable[[str], Sequence[int]]


def parted(tokenizer: Any) -> Ids:
    """The ids of a text's tokens, as `tokenizer` gives them, in a third of its time.

    A blank begins a token, a digit and the end of a line are tokens by themselves: so a text falls into pieces which
    share no token. Where the vocabulary says otherwise, or a trial does, the tokenizer is asked for each text.
    """

    def whole(text: str) -> Sequence[int]:
        ids: Sequence[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    if not _falls_into_pieces(tokenizer.get_vocab()):
        return whole
    special = re.compile("|".join(re.escape(token.content) for token in tokenizer.get_added_tokens_decoder().values()))
    tokenize, known = tokenizer.model.tokenize, dict[str, tuple[int, ...]]()

    def by_pieces(text: str) -> Sequence[int]:
        nonlocal known
        if BLANK in text or special.search(text):
            return whole(text)
        pieces = _PIECES.findall(BLANK + text.replace(" ", BLANK)) if text else []
        there = known
        try:
            return list(chain.from_iterable(map(there.__getitem__, pieces)))
        except KeyError:
            read = {piece: tuple([one.id for one in tokenize(piece)]) for piece in pieces if piece not in there}
        kept = {piece: ids for piece, ids in read.items() if len(piece) <= LONGEST_PIECE}
        if len(there) + len(kept) > KNOWN_PIECES:
            known = kept
        else:
            known.update(kept)
        return [one for piece in pieces for one in (read[piece] if piece in read else there[piece])]

    return by_pieces if list(by_pieces(_TRIAL)) == list(whole(_TRIAL)) else whole


def _falls_into_pieces(vocabulary: Iterable[str]) -> bool:
    """Whether no token has more than one piece in it, but those that stand for a byte."""
    return all(len(_PIECES.findall(token)) == 1 for token in vocabulary if not _BYTE.fullmatch(token))
