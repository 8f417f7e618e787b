"""Token counts of texts by cached pieces, since the same pieces occur again and again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

BLANK = "▁"
"""Represents a blank in the vocabulary, and begins each text."""
KNOWN_PIECES = 100_000
"""Capacity in pieces, of about 200 bytes each; a full cache is cleared."""
LONGEST_PIECE = 40
"""Longer pieces are not cached, since they hardly repeat."""
_PIECES = re.compile(rf"[0-9\n]|{BLANK}*[^{BLANK}0-9\n]+|{BLANK}+")
_BYTE = re.compile("<0x[0-9A-F]{2}>")
_TRIAL = "Two  blanks, ÀÉ Straße ﬁ Ｗｉｄｅ x²\t½ e\u0301 İ ＩＶ 中文かな 12\n\n  ß…“q” don't "
"""Contains what tokenizers are known to normalize: case, widths, ligatures, accents, blanks."""
Ids = Callable[[str], Sequence[int]]


def counting_by_pieces(tokenizer: Any) -> Ids:
    """The token ids of a text, as `tokenizer` gives them, in a third of its time.

    If a blank begins a token, and digits and line ends are tokens of their own, a text splits into pieces that share no
    token. If the vocabulary, or a trial, shows otherwise, the tokenizer is called for each text.
    """

    def whole(text: str) -> Sequence[int]:
        ids: Sequence[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    if not _splits_at_blanks(tokenizer.get_vocab()):
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


def _splits_at_blanks(vocabulary: Iterable[str]) -> bool:
    """Whether no token spans several pieces, except for byte tokens."""
    return all(len(_PIECES.findall(token)) == 1 for token in vocabulary if not _BYTE.fullmatch(token))
