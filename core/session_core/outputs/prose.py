"""Clips of prose and of unknown text: both ends, and sentences with numbers or words of the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from session_core.outputs.lines import Lines, Listing, without
from session_core.outputs.logs import collapse_note
from session_core.outputs.pieces import ends, preference
from session_core.outputs.relevance import alarm_lines, by_terms, count_identifiers, first_of_each, template

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[^\s\da-z])|(?<=[。！？])")
_HEADING = re.compile(r"#{1,6} |[A-Z][^.!?]{2,60}:$|={2,} |\*\*[^*]+\*\*$|\d+(?:\.\d+)* [A-Z]")
_GOES_ON = re.compile(r"(?: {0,4})(?![-*+•#>|=] |\d+[.)] |[|{}\[\]#<])\S")
_WRAPPED_LINE = 55
_LONG_LINE = 140
_CHUNK = 240
_TINY = 20
_MOST_CHUNKS = 20_000


def read_prose(lines: Lines, terms: frozenset[str], *, kind: str = "text", note: str = "") -> Listing:
    """The shape of any text: sentences if its lines are long, else lines."""
    lines = _unwrap(lines)
    filled = [line for line in lines.texts if line]
    if sum(map(len, filled)) > _LONG_LINE * max(1, len(filled)):
        return _in_sentences(lines, terms, kind, note)
    return _in_lines(lines, terms, kind, note)


def _unwrap(lines: Lines) -> Lines:
    """The lines, with hard-wrapped paragraphs joined to one line each."""
    joined = [
        n > 0 and len(lines.texts[n - 1]) >= _WRAPPED_LINE and bool(_GOES_ON.match(line))
        for n, line in enumerate(lines.texts)
    ]
    # Only lines that continue a sentence, which code, tables and lists do not.
    if lines.unread or sum(joined) * 10 < 3 * sum(map(bool, lines.texts)):
        return lines
    paragraphs: list[list[str]] = []
    for line, goes_on in zip(lines.texts, joined, strict=True):
        if goes_on:
            paragraphs[-1].append(line.lstrip())
        else:
            paragraphs.append([line])
    return Lines([" ".join(paragraph) for paragraph in paragraphs], [1] * len(paragraphs))


def _in_lines(lines: Lines, terms: frozenset[str], kind: str, note: str) -> Listing:
    texts, sizes, unread = _collapse(lines)
    untold = {n: size - 1 for n, size in enumerate(sizes) if size > 1 and texts[n] and n not in unread}
    order = without(_order(texts, terms), frozenset(unread))
    return Listing(kind, texts, order, sizes, note=note, untold=untold)


def _in_sentences(lines: Lines, terms: frozenset[str], kind: str, note: str) -> Listing:
    texts: list[str] = []
    sizes: list[int] = []
    opens: set[int] = set()
    unread: set[int] = set()
    for number, line in enumerate(lines.texts):
        opens.add(len(texts))
        if number in lines.unread:
            unread.add(len(texts))
            texts.append("")
            sizes.append(lines.sizes[number])
            continue
        for sentence in _sentences(line):
            texts.append(sentence)
            sizes.append(1)

    def before(number: int, previous: int | None) -> str:
        return "\n" if previous is None or number in opens else " "

    order = without(_order(texts, terms, sorted(opens)), frozenset(unread))
    return Listing(kind, texts, order, sizes, noun="sentence", note=note, before=before)


def _sentences(line: str) -> list[str]:
    """The sentences of `line`; one that is too long, or a line without any, in chunks of equal size."""
    if len(line) > _CHUNK * _MOST_CHUNKS:
        width = len(line) // _MOST_CHUNKS + 1
        return [line[at : at + width] for at in range(0, len(line), width)]
    found: list[str] = []
    for sentence in _not_tiny(_SENTENCE_END.split(line)):
        at = 0
        while len(sentence) - at > 2 * _CHUNK:
            end = sentence.rfind(" ", at + _CHUNK // 2, at + _CHUNK)
            end = end if end > 0 else at + _CHUNK
            found.append(sentence[at:end])
            at = end + (sentence[end : end + 1] == " ")
        found.append(sentence[at:])
    return found


def _not_tiny(sentences: Iterable[str]) -> Iterator[str]:
    """The sentences, with very short ones merged into the next: `Dr.` and `No.` do not end one."""
    waiting: list[str] = []
    length = 0
    for sentence in sentences:
        waiting.append(sentence)
        length += len(sentence) + 1
        if length > _TINY:
            yield " ".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield " ".join(waiting)


def _collapse(lines: Lines) -> tuple[list[str], list[int], set[int]]:
    """The lines, with equal consecutive ones shown once and empty ones merged."""
    texts: list[str] = []
    sizes: list[int] = []
    unread: set[int] = set()
    for number, line in enumerate(lines.texts):
        if number in lines.unread:
            unread.add(len(texts))
        elif texts and line == texts[-1] and len(texts) - 1 not in unread:
            sizes[-1] += 1
            continue
        texts.append(line)
        sizes.append(lines.sizes[number])
    for number, size in enumerate(sizes):
        if size > 1 and texts[number] and number not in unread:
            texts[number] += collapse_note(size, "")
    return texts, sizes, unread


def _order(texts: Sequence[str], terms: frozenset[str], opens: Sequence[int] = ()) -> list[int]:
    total = len(texts)
    keys = [template(text) for text in texts]
    told = [(-count_identifiers(text), number) for number, text in enumerate(texts)]
    stating = [number for weight, number in sorted(told) if weight]
    headings = [number for number, text in enumerate(texts) if _HEADING.match(text[:80])]
    filled = [number for number in ends(total, tail_every=3) if texts[number]]
    return preference(
        (2, filled[: max(6, total // 50)]),
        (4, by_terms(texts, terms)),
        (1, sorted(alarm_lines(texts))),
        (1, headings),
        (1, [number for number in opens if texts[number]]),
        (2, [number for number in stating if keys[number]]),
        (1, [number for number in first_of_each(keys) if texts[number]]),
        (1, filled),
    )
