"""Evidence: what of the messages that a view has no room for bears on what comes next, chosen by value for tokens.

A passage is worth what it has in common with the question and the last messages, and the values it
says that stand nowhere else in the view: those that were mentioned lately, that calls used, or that
look like those that calls used, most. What was chosen is worth nothing a second time, so each further
passage must say something new (greedy maximum coverage under a budget: Nemhauser, Wolsey and Fisher,
1978; value for cost: Khuller, Moss and Naor, 1999). Prose also counts as a whole: a message that answers
the question brings all of its sentences, and its neighbours. Sentences stand in a telegram's words, and
in their own where there is room.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from session_core.passages.reading import HEADING_CHARACTERS, Passage, call_texts, heading
from session_core.passages.scoring import Question, Read, Relevance
from session_core.passages.word_values import ORDINARY
from session_core.plan import Count, GiveWay, never_pause
from session_core.recall.blocks import HEAD, Blocks
from session_core.recall.call_echoes import without_call_values
from session_core.recall.restatements import find_restatements
from session_core.recall.selection import LEAST, Candidate, Choice, Prices, Worth
from session_core.recall.weighing import Weighing
from session_core.recall.weights import Weights
from session_core.turns import Message, Role

QuotedPassage = tuple[Message, Passage]
"""A passage that was chosen, behind its message."""

_WHOLE_WORDS, _HALF_WORDS_TOKENS = 0.5, 1_000.0
"""What a sentence's own words are worth beside its telegram's, in a room of any size; half of it in one of so many
tokens. In a small room each word stands in the place of another sentence."""
_ECHO_WORDS = 8
"""An assistant's sentence of no more words may only say again what the user said right before it."""
TIGHT_TOKENS = 256
"""In so little room sentences compete for each place: there words of asking count for nothing."""
_FILLINGS, _NEARLY_ALL = 2, 50
"""How often what is left of the room is filled, since what passages take is only estimated; less than one part in so
many is not worth another count."""


@dataclass(frozen=True, slots=True)
class QuoteBlock:
    """A block of quotes, what it quotes, in the order of the record, and the rows of messages that stand in the view
    themselves, by their ids."""

    block: str = ""
    passages: Sequence[QuotedPassage] = ()
    rows: Mapping[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[Message]:
        return list({id(message): message for message, _ in self.passages}.values())


class Evidence:
    """The passages of `candidates` that are worth most for a question, weighed once for as many choices as are made:
    for other rooms, or when some of the candidates have turned out to say more.

    `candidates` are messages that the view does not show whole, `standing` what it shows, both in the order of the
    record; those with ids in `inset` stand in the view shortened. Equal input gives equal output.
    """

    def __init__(
        self,
        question: Question,
        candidates: Sequence[Read],
        standing: Sequence[Read],
        *,
        count: Count,
        inset: Collection[str] = (),
        give_way: GiveWay = never_pause,
    ) -> None:
        self._question, self._standing, self._count, self._give_way = question, standing, count, give_way
        self._candidates = list(candidates)
        # Calls that the view shortens are compared in their original form.
        self._called = call_texts([message for message, _ in (*standing, *candidates)])
        self._headings = [heading(message, self._called) for message, _ in candidates]
        # A result that the view itself shows follows its call.
        told = zip(candidates, self._headings, strict=True)
        self._named = ["" if message.id in inset else said for (message, _), said in told]
        self._bearing = Relevance(question, candidates, standing)
        self._weights = Weights(candidates, standing, self._named, self._bearing, count)
        self._ties = [self._ties_of(place) for place in range(len(candidates))]
        self._shown = [self._quoted_passages(place) for place in range(len(candidates))]
        self._prices, self._blocks = Prices(count), Blocks(self._named, count)
        self._worths: dict[bool, list[dict[int, float]]] = {}
        self._made: list[Candidate] = []

    def amend(self, place: int, amended: Read) -> None:
        """Let `amended` stand in the place of a candidate whose statements it tells with what came later. What it says
        besides is as old as the candidate."""
        self._candidates[place] = amended
        self._ties[place], self._shown[place] = self._ties_of(place), self._quoted_passages(place)
        self._weights.add(place, amended[1].values)
        for worths in self._worths.values():
            worths[place] = {}

    def choose(self, room_tokens: int) -> None:
        """Choose what is worth most in `room_tokens`."""
        self._made = []
        room = room_tokens - self._count(HEAD) - 2
        if room < LEAST or not self._candidates:
            return
        tight = room_tokens <= TIGHT_TOKENS
        found = self._weighed_passages(room, tight=tight)
        if not found:
            return
        chosen = self._weights.start(tight=tight)
        worth = self._weights.worth(chosen, max(one.relevance for one in found))
        choice = Choice(
            found,
            self._initial_worths(found, worth, tight=tight),
            chosen,
            worth,
            self._prices.of(chosen),
            own_words=_WHOLE_WORDS * room / (room + _HALF_WORDS_TOKENS),
            newer=_newer(found, find_restatements([*self._candidates, *self._standing])),
            give_way=self._give_way,
        )
        choice.fill(room)
        least = max(LEAST, room // _NEARLY_ALL)
        for _ in range(_FILLINGS):
            left = room_tokens - self._blocks.estimate_tokens(choice.made)
            if left < least or not choice.fill(left):
                break
        self._made = choice.made

    @property
    def chosen_passages(self) -> Sequence[QuotedPassage]:
        """The passages that were chosen, each with its message, in the order of the record."""
        return self._in_record_order(self._made)

    def quote(self, room_tokens: int, behind: str = "", *, most: int | None = None) -> QuoteBlock:
        """What was chosen, or the first `most` of it, as a block in `room_tokens` whose last line is `behind`: without
        what was chosen last where it is too long."""
        chosen = self._made[:most]
        beside = self._count(behind) + 1 if behind else 0
        while chosen:
            over = self._blocks.estimate_tokens(chosen) + beside - room_tokens
            if over <= 0:
                block, rows = self._blocks.text(chosen), self._blocks.rows(chosen)
                block = f"{block}\n{behind}" if block and behind else block
                over = self._count(block) + sum(self._count(text) + 1 for text in rows.values()) - room_tokens
            if over <= 0:
                by_id = {self._candidates[source][0].id or "": text for source, text in rows.items()}
                return QuoteBlock(block, self._in_record_order(chosen), by_id)
            del chosen[-max(1, len(chosen) * over // (2 * max(1, room_tokens - beside))) :]
        return QuoteBlock()

    def _in_record_order(self, chosen: Sequence[Candidate]) -> Sequence[QuotedPassage]:
        order = sorted(chosen, key=lambda one: (one.source, one.place))
        return [(self._candidates[one.source][0], one.passage) for one in order]

    def _initial_worths(self, found: Sequence[Candidate], worth: Worth, *, tight: bool) -> list[float]:
        """About what each passage is worth before anything is chosen: worked out for the first choice, and after it for
        what was amended. A choice weighs the best ones anew in any case."""
        worths = self._worths.setdefault(tight, [{} for _ in self._candidates])
        for one in found:
            self._give_way()
            known = worths[one.source]
            if one.place not in known:
                known[one.place] = worth(one)
        return [worths[one.source][one.place] for one in found]

    def _ties_of(self, place: int) -> list[float]:
        """How much each passage of a candidate has in common with the question, with what it has of its output's."""
        self._give_way()
        (message, reading), bearing = self._candidates[place], self._bearing
        ties = bearing.passage_scores(reading)
        around = bearing.context_scores(reading, ties, self._headings[place]) if message.role is Role.TOOL else 0.0
        return [one + around for one in ties] if around else ties

    def _quoted_passages(self, place: int) -> Sequence[Passage]:
        """The passages of a candidate as they are quoted: rows without what their call asked with."""
        message, reading = self._candidates[place]
        call = self._called.get(message.tool_call_id or "", "") if reading.structured else ""
        return [without_call_values(passage, call) for passage in reading.passages] if call else reading.passages

    def _weighed_passages(self, room_tokens: int, *, tight: bool) -> list[Candidate]:
        """Every passage once, the newest of those that are equal, with how much it counts."""
        candidates, standing = self._candidates, self._standing
        weighing = Weighing(
            self._question,
            candidates,
            standing,
            self._bearing,
            self._ties,
            room_tokens,
            tight=tight,
            new_in=self._weights.new_in,
        )
        seen = _in_headings(candidates, standing)
        found: list[Candidate] = []
        for source in range(len(candidates) - 1, -1, -1):
            self._give_way()
            found += weighing.candidates(source, self._unsaid(source, seen), self._shown[source])
        return found

    def _unsaid(self, source: int, seen: set[str]) -> Sequence[int]:
        """The places of the passages of a candidate that nothing `seen` says too, last first; they are seen now."""
        message, reading = self._candidates[source]
        # Two people may say the same, and it may be asked what one of them said.
        who = f"{self._headings[source]} " if message.author else ""
        before = self._candidates[source - 1] if source and self._candidates[source - 1][0].role is Role.USER else None
        places: list[int] = []
        for place in range(len(reading.passages) - 1, -1, -1):
            passage = reading.passages[place]
            said = who + passage.text if who else passage.text
            if said in seen or (before and passage.voice == "assistant" and _repeats_user(passage, before)):
                continue
            seen.add(said)
            places.append(place)
        return places


def _newer(found: Sequence[Candidate], stated_again: Mapping[tuple[int, int], tuple[int, int]]) -> dict[int, int]:
    """The candidates that were stated again, each with the one that did."""
    if not stated_again:
        return {}
    numbers = {(one.source, one.place): number for number, one in enumerate(found)}
    return {numbers[old]: numbers[new] for old, new in stated_again.items() if old in numbers and new in numbers}


def _repeats_user(passage: Passage, before: Read) -> bool:
    """Whether an assistant only says again in a few words what the user said right `before` ("Norwich, all right.")."""
    if len(passage.text.split()) > _ECHO_WORDS:
        return False
    stated = {value for value, worth in passage.values.items() if worth > ORDINARY}
    return bool(stated) and stated <= before[1].values


def _in_headings(candidates: Sequence[Read], standing: Sequence[Read]) -> set[str]:
    """The calls that stand whole in the headings of their results."""
    answered = {message.tool_call_id for message, _ in (*candidates, *standing) if message.role is Role.TOOL}
    calls = [call for message, _ in candidates for call in message.tool_calls if call.id in answered]
    return {text for call in calls if len(text := f"{call.name} {call.arguments}") <= HEADING_CHARACTERS}
