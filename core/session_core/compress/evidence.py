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
from itertools import pairwise

from session_core.compress.bearing import Bearing, Question, Read
from session_core.compress.choosing import HEAD, LEAST, Candidate, Choice, Prices, Worth, block_of, rows_of
from session_core.compress.echoed import unechoed
from session_core.compress.passages import HEADING_CHARACTERS, ORDINARY, Passage, asked, heading
from session_core.compress.restated import restated
from session_core.compress.weights import Weights
from session_core.language.accepting import offers, takes
from session_core.language.wanted import says
from session_core.language.words import ASKING_WORDS
from session_core.plan import Count
from session_core.turns import Message, Role

_VOICES = {"user": 1.3, "assistant": 0.6, "tool": 1.0, "call": 1.1}
_PROSE, _SHARE_POWER, _SCARCITY_POWER = 100.0, 6, 2
_ALL_OF_USERS, _TIES_LESS = 2.0, 0.7
"""Where there is room for all that users said, how much more it counts than what others did, and how much less ties."""
_WHOLE_WORDS, _HALF_WORDS_TOKENS = 0.5, 1_000.0
"""What a sentence's own words are worth beside its telegram's, in a room of any size; half of it in one of so many
tokens. In a small room each word stands in the place of another sentence."""
_ECHO_WORDS = 8
TIGHT_TOKENS = 256
"""In so little room sentences compete for each place: there words of asking say nothing, sentences that say little of
their own have less of what their message has to do with the question, and questions without a value half of it."""
_SAYS, _ASKS = 0.6, 0.5
_FILLINGS, _NEARLY_ALL = 2, 50
"""How often what is left of the room is filled, since what passages take is only estimated; less than one part in so
many is not worth another count."""
_TAKEN = 1.2
"""What a value counts that an assistant offered and the user took, nearly as one that the user said."""
_ANSWERS, _UNASKED, _UNASKED_TIES = 0.9, 0.2, 0.5
"""In tight room: what a value counts, whoever says it, in a sentence that says one of the kind that is asked for; and
how much sentences without one have of their message's bearing on the question, and of ties."""


def evidence(
    question: Question,
    candidates: Sequence[Read],
    standing: Sequence[Read],
    *,
    room_tokens: int,
    count: Count,
) -> tuple[str, list[Message]]:
    """The passages of `candidates` that are worth most in `room_tokens`, as one block of quotes ("" for none), and
    the messages that it quotes.

    `candidates` are messages that the view does not show whole, `standing` what it shows, both in the
    order of the record. Equal input gives equal output.
    """
    return Evidence(question, candidates, standing, count=count).chosen(room_tokens)


class Evidence:
    """As `evidence`, weighed once for as many choices as are made: for other rooms, or when some of the candidates have
    turned out to say more."""

    def __init__(
        self,
        question: Question,
        candidates: Sequence[Read],
        standing: Sequence[Read],
        *,
        count: Count,
        inset: Collection[str] = (),
    ) -> None:
        self._question, self._standing, self._count = question, standing, count
        self._candidates = list(candidates)
        # A call that stands shortened in the view is asked for as it was.
        self._called = asked([message for message, _ in (*standing, *candidates)])
        self._headings = [heading(message, self._called) for message, _ in candidates]
        # A result that stands in the view itself has its call right before it.
        told = zip(candidates, self._headings, strict=True)
        self._named = ["" if message.id in inset else said for (message, _), said in told]
        self._bearing = Bearing(question, candidates, standing)
        self._weights = Weights(candidates, standing, self._named, self._bearing, count)
        self._ties = [self._ties_of(place) for place in range(len(candidates))]
        self._shown = [self._shown_of(place) for place in range(len(candidates))]
        self._prices = Prices(self._named, count)
        self._worths: dict[bool, list[dict[int, float]]] = {}
        self._made: list[Candidate] = []

    def amend(self, place: int, amended: Read) -> None:
        """Let `amended` stand in the place of a candidate whose statements it tells with what came later. What it says
        besides is as old as the candidate."""
        self._candidates[place] = amended
        self._ties[place], self._shown[place] = self._ties_of(place), self._shown_of(place)
        self._weights.add(place, amended[1].values)
        for worths in self._worths.values():
            worths[place] = {}

    def chosen(self, room_tokens: int) -> tuple[str, list[Message]]:
        """What is worth most in `room_tokens`, as `evidence` gives it."""
        room = room_tokens - self._count(HEAD) - 2
        if room < LEAST or not self._candidates:
            return "", []
        tight = room_tokens <= TIGHT_TOKENS
        found = self._found(room, tight=tight)
        if not found:
            return "", []
        state = self._weights.state(tight=tight)
        worth = self._weights.worth(state, max(one.relevance for one in found))
        own_words = _WHOLE_WORDS * room / (room + _HALF_WORDS_TOKENS)
        newer = _newer(found, restated([*self._candidates, *self._standing]))
        first = self._first(found, worth, tight=tight)
        choice = Choice(found, first, state, worth, self._prices.of(state), self._named, own_words, newer)
        choice.fill(room)
        for _ in range(_FILLINGS):
            left = room_tokens - self._tokens_of(choice.made)
            if left < max(LEAST, room // _NEARLY_ALL) or not choice.fill(left):
                break
        self._made = choice.made
        return self.shortened(room_tokens)

    def shortened(self, room_tokens: int) -> tuple[str, list[Message]]:
        """The last choice in `room_tokens`: without what was chosen last where it is too long."""
        chosen = self._made
        while chosen:
            block = block_of(chosen, self._named)
            over = self._tokens_of(chosen) - room_tokens
            if over <= 0:
                return block, [self._candidates[source][0] for source in sorted({one.source for one in chosen})]
            del chosen[-max(1, len(chosen) * over // (2 * room_tokens)) :]
        return "", []

    def _tokens_of(self, chosen: Sequence[Candidate]) -> int:
        insets = rows_of(chosen, self._named)
        return self._count(block_of(chosen, self._named)) + sum(self._count(t) + 1 for t in insets.values())

    @property
    def rows(self) -> dict[str, str]:
        """What the last choice has of the messages that stand in the view themselves, by their ids."""
        made = rows_of(self._made, self._named)
        return {self._candidates[source][0].id or "": text for source, text in made.items()}

    def _first(self, found: Sequence[Candidate], worth: Worth, *, tight: bool) -> list[float]:
        """About what each passage is worth before anything is chosen: worked out for the first choice, and after it for
        what was amended. A choice weighs the best ones anew in any case."""
        worths = self._worths.setdefault(tight, [{} for _ in self._candidates])
        for one in found:
            known = worths[one.source]
            if one.place not in known:
                known[one.place] = worth(one)
        return [worths[one.source][one.place] for one in found]

    def _ties_of(self, place: int) -> list[float]:
        """How much each passage of a candidate has in common with the question, with what it has of its output's."""
        (message, reading), bearing = self._candidates[place], self._bearing
        ties = bearing.each(reading)
        around = bearing.around(reading, ties, self._headings[place]) if message.role is Role.TOOL else 0.0
        return [one + around for one in ties] if around else ties

    def _shown_of(self, place: int) -> Sequence[Passage]:
        """The passages of a candidate as they are quoted: rows without what their call asked with."""
        message, reading = self._candidates[place]
        call = self._called.get(message.tool_call_id or "", "") if reading.structured else ""
        return [unechoed(passage, call) for passage in reading.passages] if call else reading.passages

    def _found(self, room_tokens: int, *, tight: bool) -> list[Candidate]:
        """Every passage once, the newest of those that are equal, with how much it has to do with the question."""
        candidates, standing = self._candidates, self._standing
        prose = _prose_share(candidates) ** _SHARE_POWER
        scarcity = _scarcity(candidates, room_tokens) if self._question.complete else 1.0
        share = _PROSE * prose * scarcity**_SCARCITY_POWER
        whole = [share * one**2 for one in self._bearing.whole(candidates, tight=tight)]
        less = 1 - _TIES_LESS * prose * (1 - scarcity)
        favour = {"user": 1 + _ALL_OF_USERS * prose * (1 - scarcity), "assistant": less}
        counts = {voice: favour.get(voice, 1.0) * weight for voice, weight in _VOICES.items()}
        taken = _taken(candidates, standing)
        seen = _in_headings(candidates, standing)
        kinds = self._bearing.wanted if tight else frozenset[str]()
        found: list[Candidate] = []
        for source in range(len(candidates) - 1, -1, -1):
            passages, ties = candidates[source][1].passages, self._ties[source]
            # Two people may say the same, and it may be asked what one of them said.
            who = f"{self._headings[source]} " if candidates[source][0].author else ""
            for place in range(len(passages) - 1, -1, -1):
                passage = passages[place]
                said = f"{who}{passage.text}"
                if said in seen or (source and _echoes(passage, candidates[source - 1])):
                    continue
                seen.add(said)
                passage = self._shown[source][place]
                spoken = whole[source] if passage.voice in favour else 0.0
                if tight:
                    spoken *= _says(passage)
                weight = counts[passage.voice]
                if source in taken and _telling(passage):
                    weight = max(weight, _TAKEN)
                tied = ties[place] * less
                if kinds and says(passage.text, kinds):
                    weight = max(weight, _ANSWERS)
                elif kinds:
                    spoken, tied = spoken * _UNASKED, tied * _UNASKED_TIES
                found.append(Candidate(passage, source, place, tied, spoken, weight))
        return found


def _newer(found: Sequence[Candidate], stated_again: Mapping[tuple[int, int], tuple[int, int]]) -> dict[int, int]:
    """The candidates that were stated again, each with the one that did."""
    if not stated_again:
        return {}
    numbers = {(one.source, one.place): number for number, one in enumerate(found)}
    return {numbers[old]: numbers[new] for old, new in stated_again.items() if old in numbers and new in numbers}


def _taken(candidates: Sequence[Read], standing: Sequence[Read]) -> frozenset[int]:
    """The places of what assistants said that offered something, which the user took right behind it."""
    said = [(m.seq, place, m) for place, (m, _) in enumerate(candidates)]
    said += [(m.seq, -1, m) for m, _ in standing if m.origin == "record"]
    return frozenset(
        place
        for (_, place, offer), (_, _, reply) in pairwise(sorted(said, key=lambda one: one[0]))
        if place >= 0 and offer.role is Role.ASSISTANT and reply.role is Role.USER
        if takes(reply.content) and offers(offer.content)
    )


def _telling(passage: Passage) -> bool:
    """Whether it says a name, a figure or a code."""
    return any(worth > ORDINARY for worth in passage.values.values())


def _says(passage: Passage) -> float:
    """How much of its message's bearing on the question a passage has, by what it says itself."""
    said = sum(worth for value, worth in passage.values.items() if value not in ASKING_WORDS)
    asks = passage.text.endswith(("?", "？")) and not _telling(passage)
    return said / (said + _SAYS) * (_ASKS if asks else 1.0)


def _echoes(passage: Passage, before: Read) -> bool:
    """Whether an assistant only says again in a few words what the user said right before ("Norwich, all right.")."""
    if passage.voice != "assistant" or before[0].role is not Role.USER or len(passage.text.split()) > _ECHO_WORDS:
        return False
    stated = {value for value, worth in passage.values.items() if worth > ORDINARY}
    return bool(stated) and stated <= before[1].values


def _in_headings(candidates: Sequence[Read], standing: Sequence[Read]) -> set[str]:
    """The calls that stand whole in the headings of their results."""
    answered = {message.tool_call_id for message, _ in (*candidates, *standing) if message.role is Role.TOOL}
    calls = [call for message, _ in candidates for call in message.tool_calls if call.id in answered]
    return {text for call in calls if len(text := f"{call.name} {call.arguments}") <= HEADING_CHARACTERS}


def _prose_share(candidates: Sequence[Read]) -> float:
    """The share of the candidates' tokens that people and assistants said, calls and results being the rest."""
    total = sum(message.tokens for message, _ in candidates)
    said = sum(m.tokens for m, _ in candidates if m.role is not Role.TOOL and not m.tool_calls)
    return said / total if total else 0.0


def _scarcity(candidates: Sequence[Read], room_tokens: int) -> float:
    """1 where there is room for hardly any of what users said, 0 where there is for all of it: then nothing is to be
    found out about which of it is meant."""
    readings = [reading for message, reading in candidates if message.role is Role.USER]
    said = sum(passage.brief_tokens for reading in readings for passage in reading.passages if passage.voice == "user")
    return max(0.0, 1 - room_tokens / said) if said else 0.0
