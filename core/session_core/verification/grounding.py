"""Checks a model's statements about messages against them: judgements to follow, facts that were really stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from session_core.facts import FACT_CHARACTERS, TOOL_CHARACTERS
from session_core.language.instructions import is_instruction
from session_core.language.quoting import split_quoted
from session_core.language.slots import slot
from session_core.language.supersede import ASSISTANT, TOOL
from session_core.language.words import content_words, one_line, sentences, strike_sentences
from session_core.plan import Fact, FactKind, GiveWay, never_pause
from session_core.turns import Importance, Message, Role
from session_core.verification.check import Source
from session_core.verification.claims import stems

DISCARDED_CHARACTERS = 200
"""A longer message is never discarded because of a model's judgement."""

_OF_DATA = (FactKind.AMOUNT, FactKind.DATE, FactKind.IDENTIFIER)
"""Kinds of facts that may come from a tool's result or from text that a user quotes."""

SAID_SHARE = 0.6
"""Share of a fact's words, or of their stems, that its message must contain."""

LEAST_WORDS = 2
"""An instruction of fewer words is too similar to anything."""

ALIKE_SHARE = 0.8
"""A fact that shares this much of its words with one of the rules' is a duplicate."""

EACH_MESSAGE = 8
"""Maximum facts that a model may find in one message."""


def source_of_check(message: Message) -> str:
    """All text of a message, for checks of statements about it."""
    calls = " ".join(f"{call.name} {call.arguments}" for call in message.tool_calls)
    return f"{message.author or ''} {message.name or ''} {message.content} {calls}"


def apply_judgements(messages: Sequence[Message], said: Mapping[int, Importance]) -> list[Message]:
    """The messages with the importance that a model gave them. What the rules keep is kept; long messages, and those
    with tool calls, are not discarded."""
    return [replace(message, importance=_allowed(message, said.get(message.seq))) for message in messages]


def _allowed(message: Message, said: Importance | None) -> Importance:
    if said is None or message.importance is Importance.MUST_KEEP:
        return message.importance
    heavy = len(message.content) > DISCARDED_CHARACTERS or message.tool_calls or message.media
    return Importance.SUMMARIZE if said is Importance.DISCARD and heavy else said


def strike_instructions(
    summary: str, messages: Sequence[Message], previous: str, *, give_way: GiveWay = never_pause
) -> tuple[str, int]:
    """`summary` without sentences that repeat instructions from tools or quoted text, and how many were removed.

    What the users' own words or the previous summary also say stays. A model easily attributes an instruction in data
    to the user. Yields to other threads after each message.
    """
    own = "\n".join(_own_words(message).content for message in messages if message.role is Role.USER)
    known = [said for sentence in sentences(f"{own}\n{previous}") if (said := frozenset(stems(sentence)))]
    orders = [
        said for sentence in _orders(messages, give_way) if len(said := frozenset(stems(sentence))) >= LEAST_WORDS
    ]

    def taken_up(sentence: str) -> bool:
        words = frozenset(stems(sentence)) if orders else frozenset[str]()
        return bool(words) and _alike(words, orders) and not _alike(words, known, whole=True)

    return strike_sentences(summary, taken_up)


def _orders(messages: Sequence[Message], give_way: GiveWay) -> Iterator[str]:
    """The parts of the messages that are data and read like instructions."""
    for message in messages:
        parts = (
            split_quoted(message.content)
            if message.role is Role.USER
            else [(message.content, message.role is Role.TOOL)]
        )
        for part, data in parts:
            if data:
                yield from filter(is_instruction, sentences(part[:TOOL_CHARACTERS]))
        give_way()


def _alike(words: frozenset[str], others: Sequence[frozenset[str]], *, whole: bool = False) -> bool:
    """Whether most words of `words` occur in one of `others`, or, if not `whole`, most words of that one in `words`."""
    return any(len(words & one) >= SAID_SHARE * (len(words) if whole else min(len(words), len(one))) for one in others)


def grounded_facts(found: Sequence[Fact], messages: Sequence[Message], known: Sequence[Fact]) -> tuple[list[Fact], int]:
    """The facts that their messages really state and that are not `known` yet, and how many others there were.

    Each number, date and name and most words must occur in the message. Only a user's message can state a rule or a
    limit, and an instruction in a tool's result never counts.
    """
    by_seq = {message.seq: message for message in messages}
    tools = {call.id: call.name for message in messages for call in message.tool_calls}
    sources: dict[tuple[int, bool], Source] = {}
    kept: list[Fact] = []
    struck = 0
    for fact in found:
        message = by_seq.get(fact.seq)
        text = one_line(fact.text)
        if message is None or not _is_stated(message, fact, text, sources):
            struck += 1
            continue
        if _is_new(text, message.seq, [*known, *kept]) and sum(one.seq == message.seq for one in kept) < EACH_MESSAGE:
            author = _author(message, tools)
            kept.append(Fact(fact.kind, text, seq=message.seq, author=author, time_s=message.time_s, slot=slot(text)))
    return kept, struck


def _own_words(message: Message) -> Message:
    """A user's message without what it only quotes."""
    if message.role is not Role.USER:
        return message
    return replace(message, content="\n".join(part for part, quoted in split_quoted(message.content) if not quoted))


def _is_stated(message: Message, fact: Fact, text: str, sources: dict[tuple[int, bool], Source]) -> bool:
    if not text or len(text) > FACT_CHARACTERS or message.role is Role.SYSTEM:
        return False
    if message.role is not Role.USER and (fact.kind.pinned or is_instruction(text)):
        return False
    data = fact.kind in _OF_DATA
    if message.role is Role.TOOL and not data:
        return False
    source = source_of_check(message if data else _own_words(message))
    if (message.seq, data) not in sources:
        sources[message.seq, data] = Source.of(source)
    if sources[message.seq, data].check(text).text != text:
        return False
    texts, words = content_words(text), set(content_words(source))
    beginnings = {word[:5] for word in words}
    return bool(texts) and sum(word in words or word[:5] in beginnings for word in texts) >= SAID_SHARE * len(texts)


def _is_new(text: str, seq: int, known: Sequence[Fact]) -> bool:
    words = set(content_words(text))
    return not any(
        fact.seq == seq and len(words & set(content_words(fact.text))) >= ALIKE_SHARE * len(words) for fact in known
    )


def _author(message: Message, tools: Mapping[str, str]) -> str | None:
    if message.role is Role.USER:
        return message.author
    speaker = ASSISTANT if message.role is Role.ASSISTANT else TOOL
    named = message.author or message.name or tools.get(message.tool_call_id or "")
    return f"{speaker} {named}" if named else speaker
