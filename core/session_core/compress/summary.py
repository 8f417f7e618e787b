"""A rolling summary without a model: the most important sentences verbatim, each with its author."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log, sqrt

from session_core.classify import is_filler
from session_core.language.cues import is_commitment, kinds
from session_core.language.instructions import is_instruction
from session_core.language.quoting import quoted_line, speaker_name, split_quoted, unquoted
from session_core.language.words import QUESTION_MARKS, content_words, one_line, sentences, shorten
from session_core.plan import Count, Fact, FactKind, GiveWay, never_pause
from session_core.recall.amendments import with_corrections
from session_core.turns import Importance, Message, Role

SENTENCE_CHARACTERS = 320
"""Longer sentences are cut; the cut shows as `…`."""

OUTCOME_CHARACTERS = 160
"""Maximum length of the line for a tool's result."""

READ_CHARACTERS = 24_000
"""Of a longer message only the first and the last half of this are read."""

PREVIOUS_SHARE = 0.4
"""Share of the summary reserved for lines of the previous one; they compete for the rest too."""

ALIKE = 0.7
"""A sentence that shares this much of its words with a chosen one is redundant."""

MISFITS = 40
"""After this many candidates in a row that do not fit, the rest, which are all worth less, are not tried."""

ARROW = " → "
QUOTING = ", quoting"
"""Follows the name of a user whose message only quotes."""
_WEIGHTS = {
    FactKind.RULE: 3.0, FactKind.CONSTRAINT: 2.6, FactKind.CORRECTION: 2.4, FactKind.DECISION: 2.4,
    FactKind.IDENTITY: 1.8, FactKind.PREFERENCE: 1.8,
}  # fmt: skip
_BASE = {Role.USER: 1.0, Role.ASSISTANT: 0.6, Role.TOOL: 0.5, Role.SYSTEM: 0.0}
_FIGURES = re.compile(r"[$€£¥₹]?\d[\w.,:/%€-]*|\w@\w|https?:")
"""Anything like a number, a code or an address; to find out which, as for facts, takes ten times as long."""
_NUMERALS = re.compile(r"\d[\w.,:/%€-]*")
"""What counts of these in a text without an address, in a third of the time."""

_SPOKEN = re.compile(r"[^\n:→]{1,80}?(?:: | → )")


@dataclass(slots=True)
class _Line:
    """A candidate: its position in the conversation, its text, its words, its value."""

    place: int
    text: str
    words: frozenset[str]
    worth: float
    old: bool = False


def summarize(
    previous: str, messages: Sequence[Message], *, max_tokens: int, count: Count, give_way: GiveWay = never_pause
) -> str:
    """The most important lines of `previous` and sentences of `messages`, in at most `max_tokens`.

    One line each, in the order of the conversation: "User: …", "Assistant: …", the author's name if known, "tool →
    …" for a tool's result. System messages are left out, since every view shows them. Equal input gives equal
    output. Empty if not even one line fits. Yields to other threads after each message and each candidate.
    """
    lines = [*_previous_lines(previous), *_candidates(messages, give_way)]
    _add_centrality(lines)
    give_way()
    chosen: list[_Line] = []
    _choose([one for one in lines if one.old], chosen, int(max_tokens * PREVIOUS_SHARE), count, give_way)
    _choose([one for one in lines if not one.old], chosen, max_tokens, count, give_way)
    _choose(lines, chosen, max_tokens, count, give_way)
    while chosen and count(_join(chosen)) > max_tokens:
        chosen.remove(min(chosen, key=lambda one: (one.worth, -one.place)))
    return _join(chosen)


def amended_lines(summary: str, later: Sequence[Fact], *, give_way: GiveWay = never_pause) -> str:
    """The lines of a summary; those that one of the facts `later` corrects have the correction added."""
    rows = summary.splitlines()
    leads = [_SPOKEN.match(row) for row in rows]
    first = min((fact.seq for fact in later), default=1)
    messages: list[Message] = []
    for seq, (row, lead) in enumerate(zip(rows, leads, strict=True), first - 1 - len(rows)):
        who = lead.group() if lead else ""
        role = _role(who) if QUOTING not in who else Role.TOOL
        author = who[:-2] if role is Role.USER and who != "User: " else ""
        messages.append(Message(role, row[len(who) :], seq=seq, tool_call_id="line", author=author or None))
    told = with_corrections(messages, later, give_way=give_way)
    return "\n".join((lead.group() if lead else "") + one.content for lead, one in zip(leads, told, strict=True))


def _join(lines: Sequence[_Line]) -> str:
    return "\n".join(one.text for one in sorted(lines, key=lambda one: one.place))


def _previous_lines(previous: str) -> Iterator[_Line]:
    """The lines of the previous summary. Our own lines stay complete, a model's prose is split into sentences."""
    place = -1_000_000
    for row in previous.splitlines():
        row = row.strip()
        parts = [row] if _SPOKEN.match(row) else sentences(row)
        for text in parts:
            if any(c.isalnum() for c in text):
                shown = quoted_line(shorten(text, SENTENCE_CHARACTERS + 60))
                lead = _SPOKEN.match(shown)
                who = lead.group() if lead else ""
                sentence = shown[len(who) :]
                worth = _worth(sentence, _role(who), own=QUOTING not in who) + 0.3
                yield _Line(place, shown, frozenset(content_words(sentence)), worth, old=True)
                place += 1


def _role(who: str) -> Role:
    """The role of the speaker `who` at the beginning of a line."""
    if ARROW in who:
        return Role.TOOL
    return Role.ASSISTANT if who.startswith("Assistant:") else Role.USER


def _candidates(messages: Sequence[Message], give_way: GiveWay) -> Iterator[_Line]:
    called = {call.id: call.name for message in messages for call in message.tool_calls}
    place = 0
    first_user = next((m for m in messages if m.role is Role.USER and not is_filler(m.content)), None)
    for index, message in enumerate(messages):
        late = 0.3 * index / len(messages)
        for number, (text, sentence) in enumerate(_candidate_lines(message, called)):
            own = QUOTING not in text[: -len(sentence)]
            worth = _worth(sentence, message.role, own=own) + late + (0.4 if number == 0 else 0.0)
            worth += 0.5 if message.importance is Importance.MUST_KEEP else 0.0
            worth += 1.0 if message is first_user and number == 0 else 0.0
            yield _Line(place, text, frozenset(content_words(sentence)), worth)
            place += 1
        give_way()


def _candidate_lines(message: Message, called: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The candidates of `message`: lines with their speaker and content."""
    if message.role is Role.SYSTEM or message.importance is Importance.DISCARD:
        return
    content = message.content
    if len(content) > READ_CHARACTERS:
        content = f"{content[: READ_CHARACTERS // 2]}\n{content[-READ_CHARACTERS // 2 :]}"
    if message.role is Role.TOOL:
        text = one_line(content[:2_000])
        if text:
            outcome = shorten(text, OUTCOME_CHARACTERS)
            name = message.name or called.get(message.tool_call_id or "") or "tool"
            yield f"{one_line(name)}{ARROW}{outcome}", outcome
        return
    who = "User" if message.role is Role.USER else "Assistant"
    who = speaker_name(message.author) if message.author else who
    parts = split_quoted(content) if message.role is Role.USER else ((content, False),)
    for part, quoted in parts:
        for sentence in sentences(part):
            if not is_filler(sentence):
                said = shorten(one_line(sentence), SENTENCE_CHARACTERS)
                yield f"{who}{QUOTING if quoted else ''}: {said}", said


def _worth(text: str, role: Role, *, own: bool = True) -> float:
    """The value of a sentence by its content and speaker alone; quoted text (`own` is false) binds nobody."""
    figures = _FIGURES if "@" in text or "http" in text else _NUMERALS
    worth = _BASE[role] + 0.35 * min(4, len(figures.findall(text))) + 0.15 * min(3, _capitals(text))
    if role is Role.USER and own:
        worth += max((_WEIGHTS[kind] for kind in kinds(unquoted(text))), default=0.0)
    elif role is Role.ASSISTANT:
        worth += 2.0 if is_commitment(text) else 0.0
        worth -= 0.6 if text.endswith(QUESTION_MARKS) else 0.0
    elif is_instruction(text):
        worth -= 1.0
    return worth


def _capitals(text: str) -> int:
    """Capitalized words that do not begin the sentence: usually names."""
    _, *rest = text.split(maxsplit=1) or ("",)
    if not rest or rest[0].islower():
        return 0
    return sum([1 for word in rest[0].split() if word[0].isupper() and len(word) > 1])


def _add_centrality(lines: Sequence[_Line]) -> None:
    """Add up to 1 to each line for how much of the main topic it contains."""
    spread: Counter[str] = Counter()
    for one in lines:
        spread.update(one.words)
    total = len(lines)
    weight = {word: log(1 + n) * log(1 + total / n) for word, n in spread.items()}
    raw = [sum([weight[word] for word in sorted(one.words)]) / sqrt(len(one.words) + 3) for one in lines]
    top = max(raw, default=0.0) or 1.0
    for one, value in zip(lines, raw, strict=True):
        one.worth += value / top


def _choose(pool: Sequence[_Line], chosen: list[_Line], max_tokens: int, count: Count, give_way: GiveWay) -> None:
    """Move the best lines of `pool` that fit and are not redundant into `chosen`."""
    spent = sum(count(one.text) + 1 for one in chosen)
    holders: dict[str, list[_Line]] = {}
    for one in chosen:
        _index_line(holders, one)
    taken = {id(one) for one in chosen}
    texts = {one.text for one in chosen}
    misfits = 0
    for one in sorted(pool, key=lambda one: (-one.worth / sqrt(30 + len(one.text)), one.place)):
        give_way()
        if id(one) in taken or one.text in texts or not one.words or _repeats(one, holders):
            continue
        price = count(one.text) + 1
        if spent + price > max_tokens + 1:
            misfits += 1
            if misfits > MISFITS:
                break
            continue
        misfits = 0
        spent += price
        chosen.append(one)
        texts.add(one.text)
        _index_line(holders, one)


def _index_line(holders: dict[str, list[_Line]], one: _Line) -> None:
    for word in one.words:
        holders.setdefault(word, []).append(one)


def _repeats(one: _Line, holders: dict[str, list[_Line]]) -> bool:
    """Whether a chosen line contains most of the words of `one`, including its numbers."""
    known = [word for word in one.words if word in holders]
    if not known or len(known) < ALIKE * len(one.words):
        return False
    shared: dict[int, int] = {}
    for word in known:
        for other in holders[word]:
            shared[id(other)] = shared.get(id(other), 0) + 1
    if max(shared.values()) < ALIKE * len(one.words):
        return False
    return not any(any(map(str.isdigit, word)) for word in one.words.difference(known))
