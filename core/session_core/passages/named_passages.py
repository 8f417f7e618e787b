"""Finds what a question names in the middle of long messages, of which otherwise only both ends are read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log

from session_core.language.words import sentences
from session_core.outputs.json_text import Json, read_json
from session_core.outputs.lines import Lines
from session_core.outputs.tables import read_cells
from session_core.passages.json_named import RARE, objects_naming
from session_core.passages.reading import (
    MOST_PASSAGES,
    PASSAGE_CHARACTERS,
    QUOTE,
    READ_CHARACTERS,
    Passage,
    Reading,
    make_passages,
    passages_of_value,
)
from session_core.passages.records import records
from session_core.passages.scoring import Read
from session_core.passages.word_values import parts_of, shape, values_of
from session_core.turns import Message, Role

MESSAGES = 4
"""So many messages at most are gone through for one question, those that say most of what it names."""
SEARCHED_CHARACTERS = 2_000_000
"""Of a longer message the beginning is gone through."""
PARSED_CHARACTERS = 400_000
"""A longer structure is gone through as lines."""
MOST_LINES, MOST_PASSAGES_MORE = 12, 40
"""So many lines, and passages, of a message are read besides at most."""
HEAD_LINES = 30
"""The columns of a table are named in its first lines."""
LINE_CHARACTERS = 1_200
"""Of a longer line so much is read around a place."""
TITLE_CHARACTERS, BELOW_TITLE = 80, 3
"""So many lines stand with a title above them."""
_LEAST_LETTERS = 4
_CODED = 2.0
"""How much more a number or a code counts than a word."""
_APART = 80
"""About so many characters tell one thing."""
_WORD = re.compile(r"[\w#@][\w#@.+/:'’-]*\w|\w")


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a rare name in a text, the name in lower case, and its weight."""

    at: int
    name: str
    weight: float


def add_named_passages(question: str, read: Sequence[Read]) -> list[Read]:
    """`read` with additional passages of long messages: lines and rows between their ends that contain names of
    `question`.

    Deterministic. Names that are not rare cost one search per word.
    """
    long = [place for place, (message, reading) in enumerate(read) if _unread(message, reading)]
    names = rare_names(question) if long else ()
    found = {place: _places(read[place][0].content, names) for place in long} if names else {}
    worth = {place: sum(one.weight for one in there) for place, there in found.items() if there}
    best = frozenset(sorted(worth, key=lambda place: (-worth[place], -place))[:MESSAGES])
    return [
        (message, _insert(reading, _missing_passages(message, reading, found[place])))
        if place in best
        else (message, reading)
        for place, (message, reading) in enumerate(read)
    ]


def rare_names(question: str) -> tuple[str, ...]:
    """The words of `question` that may identify something, and each pair of them that are neighbours."""
    lowered, worths = question.lower(), values_of(question)
    words = [found for found in _WORD.finditer(lowered) if found[0] in worths]
    pairs = [f"{a[0]} {b[0]}" for a, b in pairwise(words) if lowered[a.end() : b.start()] == " "]
    plain = [w[0] for w in words if len(w[0]) >= _LEAST_LETTERS or not w[0].isascii() or any(map(str.isdigit, w[0]))]
    return tuple(dict.fromkeys([*pairs, *plain]))


def _unread(message: Message, reading: Reading) -> bool:
    return len(message.content) > READ_CHARACTERS or len(reading.passages) >= MOST_PASSAGES


def _places(text: str, names: Sequence[str]) -> list[Place]:
    lowered = _lowered(text[:SEARCHED_CHARACTERS])
    found: list[Place] = []
    for name in names:
        at = _occurrences(lowered, name)
        weight = log(1 + len(lowered) / (_APART * len(at))) if at else 0.0
        weight *= _CODED if any(map(str.isdigit, name)) else 1.0
        found += [Place(start, name, weight) for start in at]
    return sorted(found, key=lambda one: one.at)


def _lowered(text: str) -> str:
    """`text` in lower case with unchanged positions, since some letters become two."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text


def _occurrences(lowered: str, name: str) -> list[int]:
    """The positions of words that begin with `name`; none if there are too many."""
    found: list[int] = []
    at = lowered.find(name)
    while at >= 0:
        if at == 0 or not lowered[at - 1].isalnum() or not name.isascii():
            found.append(at)
            if len(found) > RARE:
                return []
        at = lowered.find(name, at + 1)
    return found


def _missing_passages(message: Message, reading: Reading, places: Sequence[Place]) -> list[Passage]:
    """The passages of `message` at `places` that `reading` lacks."""
    known = {passage.text for passage in reading.passages}
    price = message.tokens / max(1, len(message.content))
    found: dict[str, Passage] = {}
    for passage in _passages(message, places, price):
        if passage.text not in known:
            found.setdefault(passage.text, passage)
        if len(found) == MOST_PASSAGES_MORE:
            break
    return list(_regroup(reading, list(found.values())))


def _passages(message: Message, places: Sequence[Place], price: float) -> Iterator[Passage]:
    text = message.content[:SEARCHED_CHARACTERS]
    value = _value(text, places) if message.role is Role.TOOL else None
    if value is not None:
        yield from passages_of_value(value, price)
        return
    for line in _lines(text, places):
        if message.role is Role.TOOL and len(line) <= PASSAGE_CHARACTERS:
            yield from make_passages(line, "tool", price)
            continue
        for sentence in _relevant_sentences(line, places):
            if message.role is Role.USER:
                # So long a message is a document that the user pasted.
                yield from make_passages(f"{QUOTE}{sentence}", "user", price)
            else:
                yield from make_passages(sentence, "tool" if message.role is Role.TOOL else "assistant", price)


def _value(text: str, places: Sequence[Place]) -> Json:
    """The parts of a structure at `places`; None for a text."""
    if text.lstrip()[:1] in ("{", "["):
        found = read_json(text) if len(text) <= PARSED_CHARACTERS else None
        table = None if found is None else found.value
    else:
        table = _records(text, places)
    try:
        return None if table is None else objects_naming(table, {one.name: one.weight for one in places})
    except RecursionError:
        return None


def _records(text: str, places: Sequence[Place]) -> Json:
    """The records of a text; of a table, the first lines and those at `places`."""
    head = text[:READ_CHARACTERS].splitlines()[:HEAD_LINES]
    grid = read_cells(Lines.of("\n".join(head)))
    if grid is None or grid.unread:
        return records(text) if len(text) <= PARSED_CHARACTERS else None
    return records("\n".join([*head, *(line for line in _lines(text, places) if line not in head)]))


def _lines(text: str, places: Sequence[Place]) -> list[str]:
    """The lines with the most names, in order; below a title, the lines that follow it."""
    said: dict[tuple[int, int], dict[str, float]] = {}
    for place in places:
        said.setdefault(_line(text, place.at), {})[place.name] = place.weight
    worth = {span: sum(names.values()) for span, names in said.items()}
    least = max(worth.values(), default=0.0) / 2
    best = sorted((span for span in worth if worth[span] >= least), key=lambda span: (-worth[span], span))[:MOST_LINES]
    found: list[str] = []
    for start, end in sorted(best):
        line = text[start:end].strip()
        found.append(line)
        if len(line) <= TITLE_CHARACTERS and (line.startswith("#") or line.endswith(":")):
            below = (part.strip() for part in text[end : end + LINE_CHARACTERS].splitlines())
            found += [part for part in below if part][:BELOW_TITLE]
    return found


def _line(text: str, at: int) -> tuple[int, int]:
    """Start and end of the line at a position, or of the part that is read of a long line."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    end = len(text) if end < 0 else end
    half = LINE_CHARACTERS // 2
    return max(start, at - half), min(end, at + half)


def _relevant_sentences(line: str, places: Sequence[Place]) -> Iterator[str]:
    """The sentences of `line` with a name, each with the next sentence."""
    names = {place.name for place in places}
    goes_on = False
    for sentence in sentences(line):
        lowered = sentence.lower()
        says = any(name in lowered for name in names)
        if says or goes_on:
            yield sentence
        goes_on = says


def _regroup(reading: Reading, found: Sequence[Passage]) -> Iterator[Passage]:
    """The rows, in the groups of `reading` with the same columns, else in new groups."""
    groups = {passage.schema: passage.group for passage in reading.passages if passage.schema}
    last = max((passage.group for passage in reading.passages), default=0)
    for passage in found:
        if passage.schema:
            yield replace(passage, group=groups.setdefault(passage.schema, last + 1 + len(groups)))
        else:
            yield passage


def _insert(reading: Reading, more: Sequence[Passage]) -> Reading:
    """`reading` with these passages between those of its ends."""
    if not more:
        return reading
    half = len(reading.passages) // 2
    words: Counter[str] = Counter(reading.words)
    for passage in more:
        words.update(passage.words)
    said = dict(reading.said)
    for passage in more:
        said[passage.voice] = said.get(passage.voice, frozenset[str]()) | passage.values.keys()
    values = frozenset[str]().union(*(passage.values for passage in more))
    shapes = {value: form for value in values if (form := shape(value))}
    return replace(
        reading,
        passages=(*reading.passages[:half], *more, *reading.passages[half:]),
        words=words,
        length=sum(words.values()),
        said=said,
        shapes={**reading.shapes, **shapes},
        names=reading.names | frozenset(value for value in shapes if parts_of(value)),
        alarms=frozenset(place if place < half else place + len(more) for place in reading.alarms),
    )
