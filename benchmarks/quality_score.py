"""What a context is worth for a question: whether it holds the value or the turns that answer it, and beside what.

All is literal: a correct paraphrase counts as a miss. Texts are compared in lower case, blanks as one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.quality_data import Conversation, Probe, Said, message_tokens, text_of

SCRIPTS_WITHOUT_BLANKS = 0x2E80
"""From here on letters are of scripts that put no blanks between words, so that a word has no bounds."""
SHARED_WORDS = 3
"""So many of the words beside a value in the record must stand beside it in the context."""
BESIDE_RECORD, BESIDE_CONTEXT, BESIDE_ANSWER = 60, 80, 200
"""How many characters on either side count as beside."""
COVERED = 0.8
"""Share of an evidence turn's words that covers it."""

_WORD = re.compile(r"[a-z0-9](?:[a-z0-9_'#.-]*[a-z0-9])?|[\u4e00-\u9fff]")
_FUNCTION_WORDS = frozenset(
    " ".join(
        (
            "a an the this that these those",
            "i me my you your he him his she her it its we us our they them their",
            "am is are was were be been being do does did have has had can could will would should may might",
            "and or but if so not no yes than then too also very just",
            "of to in on at for with from by as about into up out over",
            "there here what which who whom when where why how",
            "s t re ve ll m d",
        )
    ).split()
)


@dataclass(frozen=True, slots=True)
class Score:
    """What a context is worth for one probe.

    `hit`: the value is there, or the question can be answered. `context`: the value stands beside what it stood
    beside in the record, or the share of evidence turns that are covered. `cover`: how much of the evidence turns'
    words are there. `stale`: a superseded value is there and the final one is not; None where nothing was superseded.
    """

    hit: bool
    context: float
    cover: float
    stale: bool | None = None


@dataclass(slots=True)
class Context:
    """What a method hands to the model, prepared for many questions."""

    messages: Sequence[Said]
    texts: list[str] = field(init=False)
    whole: str = field(init=False)
    tokens: int = field(init=False)
    unpaired: bool = field(init=False)
    _words: list[list[str]] | None = None

    def __post_init__(self) -> None:
        said = [text_of(message) for message in self.messages]
        self.texts = [plain(text) for text in said]
        self.whole = plain("\n".join(said))
        self.tokens = sum(map(message_tokens, self.messages))
        self.unpaired = unpaired(self.messages)

    @property
    def words(self) -> list[list[str]]:
        """The words of each message."""
        if self._words is None:
            self._words = [words(text) for text in self.texts]
        return self._words


def scored(context: Context, probe: Probe, conversation: Conversation) -> Score:
    """The worth of `context` for `probe`."""
    evidence = conversation.texts(probe.evidence)
    if probe.of_value:
        there = [value for value in probe.answer if holds(value, context.whole)]
        beside = any(in_context(value, context.texts, evidence) for value in there)
        stale = not there and any(holds(value, context.whole) for value in probe.superseded)
        return Score(bool(there), float(beside), float(bool(there)), stale if probe.superseded else None)
    covers = [_cover(context, text) for text in evidence]
    covered = [cover >= COVERED for cover in covers]
    hit = _grounded(context, probe, evidence) if probe.extractive else all(covered)
    return Score(hit, sum(covered) / len(covered), sum(covers) / len(covers))


def plain(text: str) -> str:
    """The text in lower case, with one blank for each run of them."""
    return " ".join(text.lower().split())


def words(text: str) -> list[str]:
    """The words and numbers of a text; each Chinese character is one."""
    return _WORD.findall(plain(text))


def content_words(text: str) -> list[str]:
    """The words that say something by themselves."""
    return [word for word in words(text) if word not in _FUNCTION_WORDS]


def holds(value: str, text: str) -> bool:
    """Whether `value` stands in the plain `text` as a word of its own: no letter or digit goes on at its ends."""
    value = plain(value)
    return any(not _goes_on(text, start, start + len(value)) for start in _places(value, text))


def in_context(value: str, texts: Sequence[str], evidence: Sequence[str]) -> bool:
    """Whether `value` stands in one of the plain `texts` beside words that it stands beside in the evidence."""
    known = {word for text in evidence for near in beside(value, plain(text), BESIDE_RECORD) for word in near}
    enough = min(SHARED_WORDS, len(known))
    return any(len(near & known) >= enough for text in texts for near in beside(value, text, BESIDE_CONTEXT))


def beside(value: str, text: str, characters: int) -> Iterator[set[str]]:
    """For each place of `value` in the plain `text` the content words around it."""
    value = plain(value)
    for start in _places(value, text):
        end = start + len(value)
        around = (text[max(0, start - characters) : start], text[end : end + characters])
        yield {word for part in around for word in content_words(part)}


def unpaired(messages: Sequence[Said]) -> bool:
    """Whether a provider would refuse the messages: a result without its call before it, a call without its result."""
    waiting: set[str] = set()
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                return True
            waiting.discard(message["tool_call_id"])
        elif waiting:
            return True
        else:
            waiting = {call["id"] for call in message.get("tool_calls") or ()}
    return bool(waiting)


def _places(value: str, text: str) -> Iterator[int]:
    at = text.find(value) if value else -1
    while at >= 0:
        yield at
        at = text.find(value, at + 1)


def _goes_on(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (_letter(before) and _letter(text[start])) or (_letter(after) and _letter(text[end - 1]))


def _letter(character: str) -> bool:
    return character.isalnum() and ord(character) < SCRIPTS_WITHOUT_BLANKS


def _cover(context: Context, text: str) -> float:
    """How much of a turn is there: 1 word for word, else the share of its words in the best stretch of a message."""
    said = plain(text)
    if said and said in context.whole:
        return 1.0
    wanted = set(content_words(text))
    if not wanted:
        return 1.0
    stretch = 2 * len(words(text)) + 20
    return max((_most_at_once(wanted, told, stretch) for told in context.words), default=0) / len(wanted)


def _most_at_once(wanted: set[str], told: Sequence[str], stretch: int) -> int:
    """The most different words of `wanted` in `stretch` words in a row."""
    if len(told) <= stretch:
        return len(wanted.intersection(told))
    inside: Counter[str] = Counter()
    most = there = 0
    for place, word in enumerate(told):
        if word in wanted:
            inside[word] += 1
            there += inside[word] == 1
        gone = told[place - stretch] if place >= stretch else ""
        if gone in wanted:
            inside[gone] -= 1
            there -= inside[gone] == 0
        most = max(most, there)
    return most


def _grounded(context: Context, probe: Probe, evidence: Sequence[str]) -> bool:
    """Whether an answer stands beside two other words of the question or the evidence."""
    for answer in probe.answer:
        if not holds(answer, context.whole):
            continue
        own, value = set(words(answer)), plain(answer)
        of_evidence = {word for text in evidence for word in content_words(text)} - own
        known = of_evidence | (set(content_words(probe.question)) - own)
        enough = min(2, len(of_evidence))
        for text in context.texts:
            for start in _places(value, text):
                end = start + len(value)
                before, after = text[max(0, start - BESIDE_ANSWER) : start], text[end : end + BESIDE_ANSWER]
                if len(known.intersection([*words(before), *words(after)])) >= enough:
                    return True
    return False
