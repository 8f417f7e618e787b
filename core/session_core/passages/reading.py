"""Passages: the smallest parts of a message that are meaningful alone, and their value for a question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from session_core.classify import is_filler
from session_core.language.leaning import joined_with_reports
from session_core.language.quoting import speaker_name, split_quoted
from session_core.language.words import sentences
from session_core.outputs.json_text import Json, read_json
from session_core.outputs.relevance import alarm_lines, prominent_lines
from session_core.passages.answer_parts import answer_parts
from session_core.passages.json_passages import Row, rows
from session_core.passages.records import records
from session_core.passages.telegram import to_telegram_style, tokens_saved
from session_core.passages.word_values import WORTH, parts_of, shape, stems, values_of
from session_core.plan import Count
from session_core.turns import Message, Role

Voice = Literal["user", "assistant", "tool", "call"]
"""Who says a passage; a call is what an assistant asked a tool for."""

READ_CHARACTERS = 24_000
"""Of one longer message the first and the last half of this are read."""

PASSAGE_CHARACTERS = 320
"""A longer line or sentence is parted there."""

MOST_PASSAGES = 400
"""Of one message the first and the last half of so many are looked at."""

SEARCHED_CHARACTERS = 200_000
"""So much between the ends of an output is gone through for lines that stand out there."""
MOST_STANDING_OUT = 60
"""So many of these lines are read too."""

QUOTE = "> "
"""Stands before what a user only quotes."""
LEAST_ALIKE = 4
"""So many lines of one form, one behind the other, are a listing: each says less for the ones before it."""
COUNTED_CHARACTERS = 2_000
HEADING_CHARACTERS = 90

_FIELD = re.compile(r"([\w.-]+)\"?: ")
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, a line, or a row of a structure.

    `words` are the stems a query is matched with, how often each; `values` what it says, in lower
    case, each with how much of it could be told in no other words. `schema` names the columns of a
    row; rows of one `group` (0 for none) share it, or are lines of a listing. `brief` is what is left of a sentence
    without the words that only hold it together; "" where that is no shorter. `bare` are the codes that another row
    of its structure explains.
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
    def told_values(self) -> Iterable[str]:
        """The values that need not be shown again after this passage; a code in a bare list does not replace the row
        that explains it."""
        return [value for value in self.values if value not in self.bare] if self.bare else self.values

    def schema_tokens(self, whole: int, before: int) -> int:
        """The additional tokens for a schema of `whole` tokens if `before` rows with it precede. The first row may name
        its columns itself if that is shorter; the second then pays for the schema."""
        named = self.alone_tokens - self.tokens if self.alone else whole
        return (min(whole, named), max(0, whole - named), 0)[min(before, 2)]


@dataclass(frozen=True, slots=True)
class Reading:
    """A message that was read once: its passages in order, its words, and whether its parts are rows of a structure.

    `said` has the values of its passages by voice. Of these, `shapes` are the forms of codes and paths, `names` the
    paths and names of several words, `fields` the names of a structure's fields and of tools. `alarms` are the places
    of lines of an output that report a failure.
    """

    passages: tuple[Passage, ...]
    words: Mapping[str, int]
    length: int
    structured: bool
    said: Mapping[Voice, frozenset[str]]
    shapes: Mapping[str, str]
    names: frozenset[str]
    fields: frozenset[str]
    alarms: frozenset[int]

    @property
    def values(self) -> frozenset[str]:
        """All values in its passages."""
        return frozenset[str]().union(*self.said.values())


def read(message: Message, count: Count) -> Reading:
    """The passages of `message`: its calls first, then its sentences, lines or rows.

    Their tokens are estimated from the beginning of the message, since counting each passage would take most of the
    time.
    """
    calls = " ".join(call.arguments for call in message.tool_calls)
    text = f"{message.content[:COUNTED_CHARACTERS]} {calls[:COUNTED_CHARACTERS]}"
    price = count(text) / max(1, len(text))
    value = _outline(message) if message.role is Role.TOOL else None
    found = [
        *_of_calls(message, price),
        *(_of_text(message, price) if value is None else passages_of_value(value, price)),
    ]
    if len(found) > MOST_PASSAGES:
        half = MOST_PASSAGES // 2
        middle = found[half:-half] if message.role is Role.TOOL and value is None else []
        alone = prominent_lines([passage.text for passage in middle], MOST_STANDING_OUT)
        found = [*found[:half], *(middle[place] for place in alone), *found[-half:]]
    total: Counter[str] = Counter()
    for passage in found:
        # Most words stand once in a passage; to count keys takes a fourth of the time of adding numbers.
        total.update(passage.words.keys())
        for word, times in passage.words.items():
            if times > 1:
                total[word] += times - 1
    structured = message.role is Role.TOOL and (value is not None or message.content.lstrip()[:1] in ("{", "["))
    if structured:
        found = list(_without_explained_codes(found))
    voices = {passage.voice for passage in found}
    said = {voice: frozenset[str]().union(*[p.values for p in found if p.voice == voice]) for voice in voices}
    values = frozenset[str]().union(*said.values())
    shapes = {value: form for value in values if (form := shape(value))}
    names = frozenset(value for value in shapes if parts_of(value))
    fields = frozenset([*_fields(found, structured), *[call.name.lower() for call in message.tool_calls]])
    lines = message.role is Role.TOOL and not structured
    alarms = frozenset(alarm_lines([passage.text for passage in found])) if lines else frozenset[int]()
    return Reading(tuple(found), total, sum(total.values()), structured, said, shapes, names, fields, alarms)


def _without_explained_codes(found: Sequence[Passage]) -> Iterator[Passage]:
    """The passages of a structure; codes that another passage explains are listed in `bare`."""
    homes: dict[str, int] = {}
    least = WORTH["path"]
    codes = [[value for value, worth in passage.values.items() if worth >= least] for passage in found]
    words = [len(passage.values) - len(said) for passage, said in zip(found, codes, strict=True)]
    for place, texts in enumerate(codes):
        for value in texts:
            if words[place] > homes.get(value, -1):
                homes[value] = words[place]
    for place, passage in enumerate(found):
        bare = frozenset([value for value in codes[place] if homes[value] > words[place]])
        yield replace(passage, bare=bare) if bare else passage


def _fields(passages: Sequence[Passage], structured: bool) -> Iterator[str]:
    """The field names of a structure and of a call's arguments, as they occur in its rows."""
    schemas = {passage.schema for passage in passages if passage.schema}
    for schema in schemas:
        yield from values_of(schema)
    for passage in passages:
        if passage.voice == "call" or (structured and not passage.schema):
            yield from map(str.lower, _FIELD.findall(passage.text))


def heading(message: Message, called: Mapping[str, str]) -> str:
    """The source of a passage: the author or role; for a result, the call that it answers."""
    if message.role is Role.TOOL:
        asked = called.get(message.tool_call_id or "", message.name or "tool")
        return f"{_cut(asked)} →"
    who = speaker_name(message.author) if message.author and message.role is Role.USER else message.author
    return f"{who or message.name or message.role.value}:"


def call_texts(messages: Sequence[Message]) -> dict[str, str]:
    """The text of each call, by its id."""
    return {call.id: f"{call.name} {call.arguments}" for message in messages for call in message.tool_calls}


def _of_calls(message: Message, price: float) -> Iterator[Passage]:
    for call in message.tool_calls:
        found = read_json(call.arguments) if len(call.arguments) > PASSAGE_CHARACTERS else None
        if found is None:
            yield from make_passages(f"{call.name} {call.arguments}", "call", price)
        else:
            for row in rows(found.value):
                yield from make_passages(row.text, "call", price)


def _of_text(message: Message, price: float) -> Iterator[Passage]:
    text = _ends(message.content)
    if message.role is Role.ASSISTANT and (answer := _structured(text)) is not None:
        yield from _of_answer(answer, price)
        return
    if message.role is Role.ASSISTANT:
        yield from _passages_of_text(text, price)
        return
    if message.role is not Role.TOOL:
        voice: Voice = "user" if message.role is Role.USER else "assistant"
        for part, quoted in split_quoted(text) if voice == "user" else ((text, False),):
            said = sentences(part)
            for sentence in joined_with_reports(said, PASSAGE_CHARACTERS) if voice == "user" and not quoted else said:
                if not is_filler(sentence):
                    yield from make_passages(f"{QUOTE}{sentence}" if quoted else sentence, voice, price)
        return
    for group, (form, run) in enumerate(groupby(_lines(message.content), key=_form), start=1):
        alike = list(run)
        for line in alike:
            yield from make_passages(line, "tool", price, group if form and len(alike) >= LEAST_ALIKE else 0)


def _lines(text: str) -> list[str]:
    """The lines of an output that are read: those at both ends, and prominent ones between them."""
    half = READ_CHARACTERS // 2
    if len(text) <= READ_CHARACTERS:
        return [line.strip() for line in text.splitlines()]
    between = [line.strip() for line in text[half:-half][:SEARCHED_CHARACTERS].splitlines()[1:-1]]
    alone = [between[place] for place in prominent_lines(between, MOST_STANDING_OUT)]
    first, last = ([line.strip() for line in end.splitlines()] for end in (text[:half], text[-half:]))
    return [*first, *alone, *last]


def _form(line: str) -> str:
    """The form of a line; the lines of a listing have the same."""
    return " ".join(_LETTERS.sub("a", _DIGITS.sub("9", line)).split())


def _passages_of_text(text: str, price: float) -> Iterator[Passage]:
    """The sentences of an answer, the lines of its code unchanged, and the rows of its tables."""
    for kind, part in answer_parts(text):
        value = records(part) if kind == "table" else None
        if value is not None:
            for row in rows(value):
                yield from _of_row(row, "assistant", price)
        elif kind == "code":
            for line in part.splitlines():
                yield from (_verbatim(passage) for passage in make_passages(line.strip(), "assistant", price))
        else:
            for sentence in sentences(part):
                if not is_filler(sentence):
                    yield from make_passages(sentence, "assistant", price)


def _verbatim(passage: Passage) -> Passage:
    """A passage that is shown unchanged or not at all: shortened code would be different code."""
    values = {value: max(worth, WORTH["name"]) for value, worth in passage.values.items() if worth}
    return replace(passage, brief="", brief_tokens=passage.tokens, values=values)


def _outline(output: Message) -> Json | None:
    """The fields or rows of a tool's output; None for a text."""
    text = _ends(output.content)
    found = read_json(text) if text.lstrip()[:1] in ("{", "[") else None
    return records(text) if found is None else found.value


def passages_of_value(value: Json, price: float) -> Iterator[Passage]:
    """The rows of a tool's output, at `price` tokens for each character."""
    for row in rows(value):
        yield from _of_row(row, "tool", price)


def _ends(text: str) -> str:
    """The part of a text that is read: all of it, or both ends."""
    half = READ_CHARACTERS // 2
    return text if len(text) <= READ_CHARACTERS else f"{text[:half]}\n{text[-half:]}"


def _of_row(row: Row, voice: Voice, price: float) -> Iterator[Passage]:
    # A query may name a column: the row is found by its name, and can say it.
    alone = row.alone if row.schema and len(row.alone) <= PASSAGE_CHARACTERS else ""
    return make_passages(row.text, voice, price, row.group + 1 if row.schema else 0, row.schema, alone)


def _structured(text: str) -> Json | None:
    """The value of a text that is entirely JSON, as agents with an output schema answer."""
    sentence = text.strip()
    found = read_json(sentence) if (sentence[:1], sentence[-1:]) in (("{", "}"), ("[", "]")) else None
    return None if found is None or found.before or found.after or found.note else found.value


def _of_answer(answer: Json, price: float) -> Iterator[Passage]:
    """The rows of an answer, and the sentences of texts in it."""
    for row in rows(answer):
        if row.schema:
            yield from _of_row(row, "assistant", price)
        else:
            for sentence in sentences(row.text):
                if not is_filler(sentence):
                    yield from make_passages(sentence, "assistant", price)


def make_passages(
    text: str, voice: Voice, price: float, group: int = 0, schema: str = "", alone: str = ""
) -> Iterator[Passage]:
    """`text` as passages of at most `PASSAGE_CHARACTERS` each, at `price` tokens for each character."""
    named = int(len(alone) * price) + 2 if alone else 0
    for start in range(0, len(text), PASSAGE_CHARACTERS):
        part = text[start : start + PASSAGE_CHARACTERS]
        if any(character.isalnum() for character in part):
            tokens, short = (
                int(len(part) * price) + 2,
                to_telegram_style(part) if voice in ("user", "assistant") else "",
            )
            fewer = tokens if not short else min(tokens, max(2, tokens - tokens_saved(part, short)))
            words, values = _counted(stems(alone or part)), values_of(part)
            short = short if fewer < tokens else ""
            yield Passage(part, tokens, voice, words, values, group, schema, short, fewer, alone, named)


def _counted(words: Sequence[str]) -> Mapping[str, int]:
    """Each word with its number of occurrences; a plain dictionary is fastest where each occurs once, as in most
    passages."""
    once = dict.fromkeys(words, 1)
    return once if len(once) == len(words) else Counter(words)


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= HEADING_CHARACTERS else f"{flat[: HEADING_CHARACTERS - 1]}…"
