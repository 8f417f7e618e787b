"""Passages: the smallest parts of a message that say something by themselves, and what they are worth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from session_core.classify import filler
from session_core.compress.json_passages import Row, rows
from session_core.compress.json_text import Json, read_json
from session_core.language.quoting import speaker_name, spoken
from session_core.language.words import STOP_WORDS, TELEGRAM_WORDS, sentences, words
from session_core.plan import Count
from session_core.retrieve import terms
from session_core.turns import Message, Role

Voice = Literal["user", "assistant", "tool", "call"]
"""Who says a passage; a call is what an assistant asked a tool for."""

READ_CHARACTERS = 24_000
"""Of one longer message the first and the last half of this are read."""

PASSAGE_CHARACTERS = 320
"""A longer line or sentence is parted there."""

MOST_PASSAGES = 400
"""Of one message the first and the last half of so many are looked at."""

QUOTE = "> "
"""Stands before what a user only quotes."""
COUNTED_CHARACTERS = 2_000
KNOWN_WORDS = 32_768
"""Words come again and again: what is found of each one is kept for so many."""
HEADING_CHARACTERS = 90

_TOKEN = re.compile(r"[\w#@][\w#@.+/:'’-]*\w|[^\W_]")
_SUFFIXES = ("'s", "’s", "ings", "ing", "ies", "es", "ed", "s")
_FRAME = re.compile(r"^[^\w'’]+|[^\w]+$")
_AFTER_THE = re.compile(r"\d+(?:st|nd|rd|th)\b|(?:morning|afternoon|evening)\b")
_FIELD = re.compile(r"([\w.-]+)\"?: ")
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
ORDINARY = 0.25
_WORTH = {"code": 3.0, "figure": 1.5, "path": 2.5, "name": 1.2}


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, a line, or a row of a structure.

    `words` are the stems a query is matched with, how often each; `values` what it says, in lower
    case, each with how much of it could be told in no other words. `schema` names the columns of a
    row; rows of one `group` (0 for none) share it. `brief` is what is left of a sentence without the
    words that only hold it together; "" where that is no shorter. `bare` are the codes that another row of its
    structure explains.
    """

    text: str
    tokens: int
    voice: Voice
    words: Mapping[str, int]
    values: Mapping[str, float]
    group: int = 0
    schema: str = ""
    brief: str = ""
    brief_tokens: int = 0
    alone: str = ""
    alone_tokens: int = 0
    bare: frozenset[str] = frozenset()

    @property
    def tells(self) -> Iterable[str]:
        """The values that need not be told again once this is: a code in a bare list leaves its row to be told."""
        return [value for value in self.values if value not in self.bare] if self.bare else self.values

    def schema_tokens(self, whole: int, before: int) -> int:
        """What its schema of `whole` tokens adds for a row that has `before` others of its own before it: the first
        names its columns itself where that is shorter, which the second makes up for."""
        named = self.alone_tokens - self.tokens if self.alone else whole
        return (min(whole, named), max(0, whole - named), 0)[min(before, 2)]


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as it was read once: its passages in order, its words, whether its parts are rows of a structure.

    `said` has the values of its passages by their voice; among them `shapes` are what codes and paths look like,
    `names` the paths and names of several words, `fields` those of a structure's fields and of tools.
    """

    passages: tuple[Passage, ...]
    words: Mapping[str, int]
    length: int
    structured: bool
    said: Mapping[Voice, frozenset[str]]
    shapes: Mapping[str, str]
    names: frozenset[str]
    fields: frozenset[str]

    @property
    def values(self) -> frozenset[str]:
        """All values that its passages say."""
        return frozenset[str]().union(*self.said.values())


def read(message: Message, count: Count) -> Reading:
    """The passages of `message`: its calls first, then its sentences, lines or rows.

    Their tokens are their share of a count of the message's beginning: to count each would take most of the time.
    """
    calls = " ".join(call.arguments for call in message.tool_calls)
    text = f"{message.content[:COUNTED_CHARACTERS]} {calls[:COUNTED_CHARACTERS]}"
    price = count(text) / max(1, len(text))
    found = [*_of_calls(message, price), *_of_text(message, price)]
    if len(found) > MOST_PASSAGES:
        found = found[: MOST_PASSAGES // 2] + found[-MOST_PASSAGES // 2 :]
    total: Counter[str] = Counter()
    for passage in found:
        total.update(passage.words)
    structured = message.role is Role.TOOL and message.content.lstrip()[:1] in ("{", "[")
    if structured:
        found = list(_explained(found))
    voices = {passage.voice for passage in found}
    said = {voice: frozenset[str]().union(*[p.values for p in found if p.voice == voice]) for voice in voices}
    values = frozenset[str]().union(*said.values())
    shapes = {value: form for value in values if (form := shape(value))}
    names = frozenset(value for value in shapes if parts_of(value))
    fields = frozenset([*_fields(found, structured), *[call.name.lower() for call in message.tool_calls]])
    return Reading(tuple(found), total, sum(total.values()), structured, said, shapes, names, fields)


def _explained(found: Sequence[Passage]) -> Iterator[Passage]:
    """The passages of a structure, each with those of its codes that another one says among more words."""
    homes: dict[str, int] = {}
    words = [sum(worth < _WORTH["path"] for worth in passage.values.values()) for passage in found]
    codes = [[value for value, worth in passage.values.items() if worth >= _WORTH["path"]] for passage in found]
    for place, said in enumerate(codes):
        for value in said:
            homes[value] = max(homes.get(value, 0), words[place])
    for place, passage in enumerate(found):
        bare = frozenset(value for value in codes[place] if homes[value] > words[place])
        yield replace(passage, bare=bare) if bare else passage


def _fields(passages: Sequence[Passage], structured: bool) -> Iterator[str]:
    """The names of the fields of a structure and of a call's arguments, as its rows tell them."""
    schemas = {passage.schema for passage in passages if passage.schema}
    for schema in schemas:
        yield from values_of(schema)
    for passage in passages:
        if passage.voice == "call" or (structured and not passage.schema):
            yield from map(str.lower, _FIELD.findall(passage.text))


def stems(text: str) -> list[str]:
    """The words of `text` that a query is matched with; English endings are cut off roughly."""
    return [_stem(word) for word in terms(text)]


def heading(message: Message, called: Mapping[str, str]) -> str:
    """Who says what follows: the author or role, for a result the call that it answers."""
    if message.role is Role.TOOL:
        asked = called.get(message.tool_call_id or "", message.name or "tool")
        return f"{_cut(asked)} →"
    who = speaker_name(message.author) if message.author and message.role is Role.USER else message.author
    return f"{who or message.name or message.role.value}:"


def asked(messages: Sequence[Message]) -> dict[str, str]:
    """What each call asked for, by its id."""
    return {call.id: f"{call.name} {call.arguments}" for message in messages for call in message.tool_calls}


def _of_calls(message: Message, price: float) -> Iterator[Passage]:
    for call in message.tool_calls:
        found = read_json(call.arguments) if len(call.arguments) > PASSAGE_CHARACTERS else None
        if found is None:
            yield from _made(f"{call.name} {call.arguments}", "call", price)
        else:
            for row in rows(found.value):
                yield from _made(row.text, "call", price)


def _of_text(message: Message, price: float) -> Iterator[Passage]:
    text = message.content
    if len(text) > READ_CHARACTERS:
        text = f"{text[: READ_CHARACTERS // 2]}\n{text[-READ_CHARACTERS // 2 :]}"
    if message.role is Role.ASSISTANT and (answer := _structured(text)) is not None:
        yield from _of_answer(answer, price)
        return
    if message.role is not Role.TOOL:
        voice: Voice = "user" if message.role is Role.USER else "assistant"
        for part, quoted in spoken(text) if voice == "user" else ((text, False),):
            for sentence in sentences(part):
                if not filler(sentence):
                    yield from _made(f"{QUOTE}{sentence}" if quoted else sentence, voice, price)
        return
    found = read_json(text) if text.lstrip()[:1] in ("{", "[") else None
    if found is None:
        for line in text.splitlines():
            yield from _made(line.strip(), "tool", price)
        return
    for row in rows(found.value):
        yield from _of_row(row, "tool", price)


def _of_row(row: Row, voice: Voice, price: float) -> Iterator[Passage]:
    made = _made(row.text, voice, price, row.group + 1 if row.schema else 0, row.schema)
    if row.schema and len(row.alone) <= PASSAGE_CHARACTERS:
        # A query may name a column: the row is found by its name, and can say it.
        words, tokens = Counter(stems(row.alone)), int(len(row.alone) * price) + 2
        made = (replace(cells, words=words, alone=row.alone, alone_tokens=tokens) for cells in made)
    return made


def _structured(text: str) -> Json | None:
    """The value of a text that is JSON from its first to its last character, as agents with an output schema answer."""
    said = text.strip()
    found = read_json(said) if (said[:1], said[-1:]) in (("{", "}"), ("[", "]")) else None
    return None if found is None or found.before or found.after or found.note else found.value


def _of_answer(answer: Json, price: float) -> Iterator[Passage]:
    """The rows of an answer; of a text in it the sentences."""
    for row in rows(answer):
        if row.schema:
            yield from _of_row(row, "assistant", price)
        else:
            for sentence in sentences(row.text):
                if not filler(sentence):
                    yield from _made(sentence, "assistant", price)


def _made(text: str, voice: Voice, price: float, group: int = 0, schema: str = "") -> Iterator[Passage]:
    for start in range(0, len(text), PASSAGE_CHARACTERS):
        part = text[start : start + PASSAGE_CHARACTERS]
        if any(character.isalnum() for character in part):
            tokens, short = int(len(part) * price) + 2, brief(part) if voice in ("user", "assistant") else ""
            fewer = tokens if not short else min(tokens, max(2, tokens - _saved(part, short)))
            words, values = Counter(stems(part)), values_of(part)
            yield Passage(part, tokens, voice, words, values, group, schema, short if fewer < tokens else "", fewer)


def brief(text: str) -> str:
    """`text` in the style of a telegram: articles, auxiliaries, courtesies and the speaker's own "I" left out.

    Negations, prepositions and all else stay, in order; dates, times and names stay word for word. "" where nothing
    would be left out or nothing is left.
    """
    said = text.split()
    kept = [word for place, word in enumerate(said) if _telling(word) or _belongs(said, place)]
    short = " ".join(kept).strip(" .,;")
    return short if any(map(str.isalnum, short)) and len(kept) < len(said) else ""


@lru_cache(maxsize=KNOWN_WORDS)
def _telling(word: str) -> bool:
    """Whether a sentence needs it to be understood."""
    return _FRAME.sub("", word).lower() not in TELEGRAM_WORDS


def _belongs(said: Sequence[str], place: int) -> bool:
    """Whether the word there is part of a date, a time or a name: "the 5th", "10 am", "in the evening", "The Ivy"."""
    word, before = said[place], said[place - 1] if place else ""
    behind = said[place + 1] if place + 1 < len(said) else ""
    if word.lower() == "the" and _AFTER_THE.match(behind):
        return True
    if word[:2] == "am":
        return before[-1:].isdigit()
    return word in ("The", "A") and behind[:1].isupper() and before[-1:].isalnum()


def _saved(text: str, short: str) -> int:
    """About how many tokens `short` has less: the words that it leaves out are one each."""
    return len(text.split()) - len(short.split())


@lru_cache(maxsize=8_192)
def named_in(heading: str) -> Mapping[str, float]:
    """The values of a heading, of which the same ones come again and again."""
    return values_of(heading)


def values_of(text: str) -> dict[str, float]:
    """What `text` says, word by word, with what each is worth: codes, paths and figures most, common words little."""
    found: dict[str, float] = {}
    for token in _TOKEN.findall(text):
        value, worth = _value(token)
        if worth > found.get(value, 0.0):
            found[value] = worth
    if not text.isascii():
        for pair in words(text):
            if not pair.isascii():
                found.setdefault(pair, ORDINARY)
    return found


@lru_cache(maxsize=KNOWN_WORDS)
def _value(token: str) -> tuple[str, float]:
    """A word in lower case, with how much of it could be told in no other words: that it has digits, that it is a path,
    that it is a name; 0 for those that only hold others together."""
    lowered = token.lower()
    if lowered in STOP_WORDS:
        return lowered, 0.0
    if any(c.isdigit() for c in token):
        code = len(token) >= 4 or any(c.isalpha() or c in "#@_" for c in token)
        return lowered, _WORTH["code" if code else "figure"]
    if any(c in "_/@#" for c in token) or "." in token.strip("."):
        return lowered, _WORTH["path"]
    return lowered, _WORTH["name"] if token[:1].isupper() else ORDINARY


@lru_cache(maxsize=KNOWN_WORDS)
def shape(value: str) -> str:
    """What a code or path looks like: its letters and figures told by kind, its marks kept; "" for a plain word."""
    if not any(character.isdigit() or character in "_/@#." for character in value):
        return ""
    kinds = _DIGITS.sub(lambda found: f"9{len(found.group())}", value)
    return _LETTERS.sub("a", kinds)


@lru_cache(maxsize=KNOWN_WORDS)
def parts_of(value: str) -> Mapping[str, int]:
    """The words that a path or a name of several words is made of; none for one word, and for what has figures."""
    if any(map(str.isdigit, value)) or not shape(value):
        return {}
    parts = dict.fromkeys(stems(value), 1)
    return parts if len(parts) > 1 else {}


@lru_cache(maxsize=KNOWN_WORDS)
def _stem(word: str) -> str:
    if word.isascii():
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                return word[: -len(suffix)]
    return word


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= HEADING_CHARACTERS else f"{flat[: HEADING_CHARACTERS - 1]}…"
