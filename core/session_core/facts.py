"""Extracts key facts from messages, and tells which of them are current."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from session_core.classify import is_filler
from session_core.fact_selection import KIND_ORDER
from session_core.language.acceptance import (
    OFFERED_CHARACTERS,
    chosen_from,
    considered,
    find_offer,
    find_wondering,
    is_only_answer,
    left_as_it_is,
    only_declines,
    settles_offer,
)
from session_core.language.amending import subject_words
from session_core.language.changes import alters
from session_core.language.cues import is_commitment, is_revision, kinds
from session_core.language.instructions import imitates_message, is_instruction, relays_instruction
from session_core.language.labels import is_labelled
from session_core.language.leaning import continues
from session_core.language.quoting import has_prose, repeats_data, speaker_name, split_quoted, unquoted
from session_core.language.slots import clauses, slot
from session_core.language.supersede import ASSISTANT, QUOTED, TOOL, Facts
from session_core.language.values import Value, ValueKind, currency, found, values
from session_core.language.words import QUESTION_MARKS, SENTENCES, content_words, one_line, sentences, shorten, words
from session_core.plan import Fact, FactKind, GiveWay, never_pause
from session_core.turns import Message, Role

FACT_CHARACTERS = 200
"""A longer sentence is cut around its key phrase; the cut shows as `…`."""

RULE_CHARACTERS = 800
"""The same for a rule, which should be kept verbatim."""

USER_FACTS = 24
ASSISTANT_FACTS = 8
TOOL_FACTS = 4
"""The maximum number of facts from one message, by role; binding ones come before values that are only stated."""

USER_RULES = 100
"""The maximum number of rules from one message, in addition to the limit of facts."""

TOOL_CHARACTERS = 20_000
"""Characters of a tool result that are read for facts."""

TOOL_FACT_CHARACTERS = 120

_STATED = {
    ValueKind.IDENTIFIER: FactKind.IDENTIFIER,
    ValueKind.AMOUNT: FactKind.AMOUNT,
    ValueKind.DATE: FactKind.DATE,
    ValueKind.TIME: FactKind.DATE,
}
_Stated = tuple[FactKind, Callable[[], Fact | None]]
"""A candidate fact: its kind, and a function that builds it; None if it turns out to be no fact."""
_Ask = Callable[[], str | None]
"""Looks for the question or offer before a sentence: only short answers need it, and most messages are none."""
_MEMBER = re.compile(r"[\n{}\[\]]|[\"'],\s*|,\s*(?=[\"'])")
_SEPARATORS = frozenset("\n\r;{}[]|<>")


def extract(messages: Sequence[Message], *, asked: str | None = None, give_way: GiveWay = never_pause) -> list[Fact]:
    """The facts that `messages` state, in order, each verbatim from its sentence.

    Users state rules, limits, decisions, corrections, wishes, who they are, and values; assistants state commitments
    and values. Tool results and text quoted by users yield names and values, attributed to their source, but no prose
    and nothing that reads like an instruction: data never becomes a rule, nor does an assistant's repetition of it. A
    bare value, a yes or a choice has the question that it answers as its slot; `asked` is the question that was open
    before. System messages yield no facts because every view shows them whole, and neither do messages generated for
    a view. Yields to other threads after each message.
    """
    tools = {call.id: call.name for message in messages for call in message.tool_calls}
    stated: list[Fact] = []
    data: list[str] = []
    open_yet: str | None = None
    told = ""
    ask: _Ask | None = partial(str, asked) if asked is not None else None
    for message in messages:
        if message.origin != "record":
            continue
        match message.role:
            case Role.USER:
                message = without_author_name(message)
                parts = tuple(split_quoted(message.content))
                data.extend(one_line(part).casefold() for part, quoted in parts if quoted)
                stated.extend(_keep_most_binding(_of_user(message, parts, ask, told), USER_FACTS))
                ask, open_yet, told = None, find_wondering(message.content), ""
            case Role.ASSISTANT:
                stated.extend(_keep_most_binding(_of_assistant(message, data), ASSISTANT_FACTS))
                ask, told = partial(_open_question_of, message, open_yet), message.content or told
            case Role.TOOL:
                data.append(one_line(message.content[:TOOL_CHARACTERS]).casefold())
                name = message.name or tools.get(message.tool_call_id or "")
                stated.extend(_of_tool(message, f"{TOOL} {one_line(name)}" if name else TOOL))
        give_way()
    return stated


def open_question(messages: Sequence[Message]) -> str | None:
    """The question or offer at the end of `messages`, so that an answer after them can be shown with it."""
    said = [message for message in reversed(messages) if message.role in (Role.USER, Role.ASSISTANT)][:2]
    if not said or said[0].role is Role.USER:
        return None
    before = said[1:] and said[1].role is Role.USER
    return _open_question_of(said[0], find_wondering(said[1].content) if before else None)


def _open_question_of(message: Message, wondering: str | None) -> str | None:
    """The question or offer in an assistant's `message`, or else the open question of the user before it."""
    offer = find_offer(message.content, is_filler)
    if offer is not None or wondering is None or not message.content.strip():
        return offer
    return considered(wondering, message.content)


def without_author_name(message: Message) -> Message:
    """A user's message without the author's name that views of several users put before it."""
    named = bool(message.author) and message.rendition == "named"
    return replace(message, content=own_words(message), rendition="whole") if named else message


def own_words(message: Message) -> str:
    """The text of the same message without that name."""
    if not message.author or message.rendition != "named":
        return message.content
    return message.content.removeprefix(f"{speaker_name(message.author)}: ")


def merge(old: Sequence[Fact], new: Sequence[Fact], *, give_way: GiveWay = never_pause) -> tuple[Fact, ...]:
    """`old` and then `new`, each fact once; superseded facts name their successor in `superseded_by`.

    A fact supersedes those of its slot by the same author. A user's correction also supersedes those of assistants
    and tools or, if it names no slot, the latest value of its type; one without a value is shown on one line after
    what it corrects. If two authors contradict each other, both are kept. The new fact takes over the slot, and
    remains a limit if it supersedes one. Other values in a superseded sentence stay, with `…` for what was replaced.
    Yields to other threads after each new fact.
    """
    facts = Facts(old)
    for fact in new:
        facts.put(fact)
        give_way()
    return tuple(facts.all)


def _of_user(
    message: Message, parts: Sequence[tuple[str, bool]], ask: _Ask | None, told: str = ""
) -> Iterator[_Stated]:
    for part, quoted in parts:
        before = ""
        for sentence in (clause for whole in sentences(part) for clause in clauses(whole)):
            question = None if quoted else ask
            ask = partial(str, sentence) if sentence.endswith(QUESTION_MARKS) else None
            previous, before = before, ""
            settles = _settles(question, sentence)
            if told and not settles and not quoted and (things := chosen_from(told, sentence)):
                question, settles = partial(str, things), True
            if is_filler(sentence) and not settles:
                continue
            if told and not settles and not quoted and (left := left_as_it_is(told, sentence)) and not is_filler(left):
                answer = partial(_answer_fact, message, FactKind.ANSWER, sentence, partial(str, left), True)
                yield FactKind.ANSWER, answer
                continue
            kind = _kind_of(sentence, quoted=quoted, settles=settles)
            if kind is None:
                before = one_line(sentence)
            elif not settles and continues(previous, sentence, corrects=kind is FactKind.CORRECTION):
                sentence = one_line(f"{previous} {sentence}")
            if kind is not None and quoted:
                yield kind, partial(_quoted_fact, message, kind, sentence)
            elif kind is not None:
                yield kind, partial(_answer_fact, message, kind, sentence, question, settles)


def _kind_of(sentence: str, *, quoted: bool, settles: bool) -> FactKind | None:
    """What a sentence of a user states, if anything; one that somebody else said states values only."""
    said = None if quoted else next(iter(kinds(unquoted(sentence))), None)
    if said is not None:
        return FactKind.ANSWER if said is FactKind.CORRECTION and settles and only_declines(sentence) else said
    stated, _, valued = _first_stated(sentence)
    if stated is not None:
        return stated
    if settles:
        return FactKind.ANSWER
    if not quoted and (is_revision(sentence) or alters(sentence)):
        return FactKind.CORRECTION
    if valued and not sentence.endswith(QUESTION_MARKS):
        return FactKind.AMOUNT
    return FactKind.PREFERENCE if not quoted and is_labelled(sentence) else None


def _quoted_fact(message: Message, kind: FactKind, sentence: str) -> Fact | None:
    return None if is_instruction(sentence) or has_prose(sentence) else _fact(message, kind, sentence, QUOTED)


def _settles(question: _Ask | None, sentence: str) -> bool:
    if question is None or not is_only_answer(sentence):
        return False
    offer = _offer(question)
    return offer is not None and settles_offer(offer, sentence)


def _offer(question: _Ask) -> str | None:
    text = question()
    return None if text is None or is_filler(text) else text


def _answer_fact(message: Message, kind: FactKind, sentence: str, question: _Ask | None, settles: bool) -> Fact:
    fact = _fact(message, kind, sentence, message.author)
    if question is None or not _needs_question(fact, values(sentence), settles):
        return fact
    offer = _offer(question)
    return replace(fact, slot=_question(offer)) if offer else fact


@lru_cache(maxsize=SENTENCES)
def _first_stated(sentence: str) -> tuple[FactKind | None, int, bool]:
    """The kind of the first value in a sentence that makes a fact, its position, and whether there is any value. Later
    values are not looked at, since a line of a log or of code may have dozens."""
    valued = False
    for value in found(sentence):
        valued = True
        if value.kind in _STATED:
            return _STATED[value.kind], value.start, True
    return None, 0, valued


def _needs_question(fact: Fact, stated: Sequence[Value], settles: bool) -> bool:
    """Whether a fact means nothing without the question that it answers: a yes, a choice, or a value alone."""
    if fact.slot is not None or (is_revision(fact.text) and fact.kind is not FactKind.ANSWER):
        return False
    valued = {word for value in stated for word in words(value.text)}
    if settles:
        return fact.kind is FactKind.ANSWER or len(subject_words(fact.text) - valued) <= 1
    return bool(stated) and len(set(content_words(fact.text)) - valued) <= 1


def _question(text: str) -> str:
    return shorten(one_line(text), OFFERED_CHARACTERS)


def _of_assistant(message: Message, data: Sequence[str]) -> Iterator[_Stated]:
    named = message.author or message.name
    author = f"{ASSISTANT} {one_line(named)}" if named else ASSISTANT
    for sentence in sentences(message.content):
        kind: FactKind | None = None
        if is_commitment(sentence):
            kind = FactKind.COMMITMENT
        elif not sentence.endswith(QUESTION_MARKS):
            kind = _first_telling(sentence)
        if kind is not None:
            yield kind, partial(_own_fact, message, kind, sentence, author, data)


def _own_fact(message: Message, kind: FactKind, sentence: str, author: str, data: Sequence[str]) -> Fact | None:
    return (
        None if relays_instruction(sentence) or repeats_data(sentence, data) else _fact(message, kind, sentence, author)
    )


@lru_cache(maxsize=SENTENCES)
def _first_telling(sentence: str) -> FactKind | None:
    return next((_STATED[v.kind] for v in found(sentence) if v.kind in _STATED and _is_specific(v)), None)


def _of_tool(message: Message, author: str) -> list[Fact]:
    """The first identifiers, amounts and dates of a result, each with the part of the result around it."""
    text = message.content[:TOOL_CHARACTERS]
    told: list[tuple[int, Fact]] = []
    taken: list[tuple[int, int]] = []
    for value in found(text):
        kind = _STATED.get(value.kind)
        if kind is None or not _is_specific(value) or any(a <= value.start < b for a, b in taken):
            continue
        start, end = _clause(text, value)
        clause = one_line(text[start:end]).strip(" ,")
        taken.append((start, end))
        line, member = _around(text, value)
        if len(content_words(clause)) < 2 or imitates_message(line) or is_instruction(member) or has_prose(member):
            continue
        told.append((start, Fact(kind, clause, seq=message.seq, author=author, time_s=message.time_s)))
        if len(told) >= 4 * TOOL_FACTS:
            break
    best = sorted(told, key=lambda pair: (pair[1].kind is not FactKind.IDENTIFIER, pair[0]))[:TOOL_FACTS]
    return [fact for _, fact in sorted(best, key=lambda pair: pair[0])]


def _clause(text: str, value: Value) -> tuple[int, int]:
    """Start and end of the part around `value`: a member of a structure, or part of a line."""
    room = (TOOL_FACT_CHARACTERS - min(len(value.text), TOOL_FACT_CHARACTERS)) // 2
    start = value.start
    while start > 0 and value.start - start < room and not _parts(text, start - 1):
        start -= 1
    end = value.end
    while end < len(text) and end - value.end < room and not _parts(text, end):
        end += 1
    return start, end


def _parts(text: str, at: int) -> bool:
    return text[at] in _SEPARATORS or (text[at] == "," and text[at + 1 : at + 2] in ("", " ", '"', "\n", "'"))


def _around(text: str, value: Value) -> tuple[str, str]:
    """The line around `value`, and the structure member in it, so that an instruction is seen completely."""
    before = text[max(0, value.start - 400) : value.start].rpartition("\n")[2]
    after = text[value.end : value.end + 400].partition("\n")[0]
    member = _MEMBER.split(before)[-1] + value.text + _MEMBER.split(after)[0]
    return before + value.text + after, member


def _is_specific(value: Value) -> bool:
    """Whether an incidental value is worth keeping; "3 steps" is not."""
    if value.kind is ValueKind.AMOUNT:
        return currency(value.text) not in (None, "%")
    dated = value.kind in (ValueKind.DATE, ValueKind.TIME)
    return dated or "@" in value.text or any(c.isdigit() for c in value.text)


def _fact(message: Message, kind: FactKind, sentence: str, author: str | None) -> Fact:
    text = sentence
    if len(text) > (most := RULE_CHARACTERS if kind is FactKind.RULE else FACT_CHARACTERS):
        text = shorten(text, most, _first_stated(sentence)[1])
    return Fact(kind, text, seq=message.seq, author=author, time_s=message.time_s, slot=slot(sentence))


def _keep_most_binding(stated: Iterable[_Stated], most: int) -> list[Fact]:
    """The `most` most binding facts, or all rules, in order. The others are not built, since in a long text they are
    nearly all."""
    told = list(stated)
    most = max(most, min(USER_RULES, sum(kind is FactKind.RULE for kind, _ in told)))
    made: dict[int, Fact] = {}
    for index in sorted(range(len(told)), key=lambda i: (KIND_ORDER[told[i][0]], i)):
        if len(made) == most:
            break
        if (fact := told[index][1]()) is not None:
            made[index] = fact
    return [made[index] for index in sorted(made)]
