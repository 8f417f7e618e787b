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
from itertools import pairwise

from session_core.compress.blocks import HEAD, Blocks
from session_core.compress.call_echoes import without_call_values
from session_core.compress.offer_answers import ANSWERED
from session_core.compress.outcomes import Outcomes, find_outcomes, minor_voices, on_topic
from session_core.compress.passages import HEADING_CHARACTERS, QUOTE, Passage, call_texts, heading
from session_core.compress.restatements import find_restatements
from session_core.compress.scoring import Question, Read, Relevance
from session_core.compress.selection import LEAST, Candidate, Choice, Prices, Worth
from session_core.compress.weights import Weights, crowding_penalties, shares_of_best
from session_core.compress.word_values import ORDINARY
from session_core.language.acceptance import accepts_offer, has_offer, put
from session_core.language.continuations import asks_for_everything, is_continuation, is_question
from session_core.language.cues import kinds as stated
from session_core.language.labels import is_labelled
from session_core.language.question_types import has_value_of
from session_core.language.reported_speech import is_report, last
from session_core.language.words import ASKING_WORDS
from session_core.plan import Count, GiveWay, never_pause
from session_core.turns import Message, Role

QuotedPassage = tuple[Message, Passage]
"""A passage that was chosen, behind its message."""

_VOICES = {"user": 1.3, "assistant": 0.6, "tool": 1.0, "call": 1.1}
"""How much a passage counts by who says it."""
_PROSE, _SHARE_POWER, _SCARCITY_POWER = 100.0, 6, 2
"""How much it counts that a message answers as a whole: most where nearly all was said by people and assistants (by the
power of their share) and where there is room for little of it (by the power of its scarcity)."""
_ALL_OF_USERS, _TIES_LESS = 2.0, 0.7
"""Where there is room for all that users said, how much more it counts than what others did, and how much less ties."""
_WHOLE_WORDS, _HALF_WORDS_TOKENS = 0.5, 1_000.0
"""What a sentence's own words are worth beside its telegram's, in a room of any size; half of it in one of so many
tokens. In a small room each word stands in the place of another sentence."""
_ALARM = 1.5
"""How much more a line counts that tells of something gone wrong than the others of its output."""
_PEOPLE, _SPEAKERS = (Role.USER,), (Role.USER, Role.ASSISTANT)
_SAID = ("user", "assistant")
_ECHO_WORDS = 8
"""An assistant's sentence of no more words may only say again what the user said right before it."""
TIGHT_TOKENS = 256
"""In so little room sentences compete for each place: there words of asking count for nothing."""
_SAYS, _ASKS = 0.6, 0.5
"""In tight room: a sentence whose values count this much has half of its message's bearing on the question; and what
share of it a sentence has that only asks."""
_OLDEST = 0.8
"""There, what the oldest statement counts beside the newest one, which may have taken its place."""
_BINDS, _ASKED_FOR, _WONDERS = 2.5, 1.5, 0.3
"""Where nothing is asked for in particular: how much more a user's sentence counts that rules, decides, prefers or
corrects, and one that answers; how much less one that only asks."""
_CAME, _SETTLES = 1.7, 0.5
"""There, how much more the few words count that say what came of an exchange; how much less those that settled it."""
_GOES_ON, _WANTS_ALL = 0.2, 0.5
"""What is left there of ties, which are mostly of chance."""
_FILLINGS, _NEARLY_ALL = 2, 50
"""How often what is left of the room is filled, since what passages take is only estimated; less than one part in so
many is not worth another count."""
_TAKEN = 1.2
"""What a value counts that an assistant offered and the user took, nearly as one that the user said."""
_ANSWERS, _UNASKED, _UNASKED_TIES = 0.9, 0.2, 0.5
"""In tight room: what a value counts, whoever says it, in a sentence that says one of the kind that is asked for; and
how much sentences without one have of their message's bearing on the question, and of ties."""


def quote_block(
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
    weighed = Evidence(question, candidates, standing, count=count)
    weighed.choose(room_tokens)
    quoted = weighed.quote(room_tokens)
    return quoted.block, quoted.messages


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
    """As `quote_block`, weighed once for as many choices as are made: for other rooms, or when some of the candidates
    have turned out to say more."""

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
        self._prices, self._blocks = Prices(self._named, count), Blocks(self._named, count)
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
        state = self._weights.state(tight=tight)
        worth = self._weights.worth(state, max(one.relevance for one in found))
        own_words = _WHOLE_WORDS * room / (room + _HALF_WORDS_TOKENS)
        newer = _newer(found, find_restatements([*self._candidates, *self._standing]))
        first = self._initial_worths(found, worth, tight=tight)
        price = self._prices.of(state)
        choice = Choice(found, first, state, worth, price, self._named, own_words, newer, self._give_way)
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
        """Every passage once, the newest of those that are equal, with how much it has to do with the question."""
        candidates, standing = self._candidates, self._standing
        prose = _prose_share(candidates) ** _SHARE_POWER
        complete = self._question.complete
        scarcity = _scarcity(candidates, room_tokens, _PEOPLE) if complete else 1.0
        # A long answer also counts as a whole: room for users' few words says nothing about assistants' many.
        answers = _scarcity(candidates, room_tokens, _SPEAKERS) if complete else 1.0
        share = _PROSE * prose * answers**_SCARCITY_POWER
        whole = [share * one**2 for one in self._bearing.candidate_scores(candidates, tight=tight)]
        less = 1 - _TIES_LESS * prose * (1 - scarcity)
        favour = {"user": 1 + _ALL_OF_USERS * prose * (1 - scarcity), "assistant": less}
        counts = {voice: favour.get(voice, 1.0) * weight for voice, weight in _VOICES.items()}
        taken = _accepted_offers(candidates, standing)
        seen = _in_headings(candidates, standing)
        kinds = self._bearing.wanted if tight else frozenset[str]()
        ties_left = _remaining_ties_weight(self._question, standing)
        open_ended = ties_left < 1
        came = find_outcomes(candidates, standing) if open_ended else Outcomes()
        speech = minor_voices(candidates, room_tokens, _binds) if open_ended else None
        short = self._question.short
        asks = not open_ended and short and is_question(self._question.text)
        topic = on_topic(candidates, self._ties, room_tokens) if asks else frozenset()
        found: list[Candidate] = []
        for source in range(len(candidates) - 1, -1, -1):
            self._give_way()
            passages, ties = candidates[source][1].passages, self._ties[source]
            crowds = crowding_penalties(ties) if candidates[source][1].structured else {}
            rows = shares_of_best(ties if (crowds or short) and not open_ended else (), len(ties))
            # Two people may say the same, and it may be asked what one of them said.
            who = f"{self._headings[source]} " if candidates[source][0].author else ""
            before = candidates[source - 1] if source and candidates[source - 1][0].role is Role.USER else None
            for place in range(len(passages) - 1, -1, -1):
                passage = passages[place]
                said = f"{who}{passage.text}"
                if said in seen or (before and passage.voice == "assistant" and _repeats_user(passage, before)):
                    continue
                seen.add(said)
                passage = self._shown[source][place]
                spoken = whole[source] * (1.0 if passage.voice in favour else rows[place])
                if tight:
                    spoken *= _own_share(passage)
                weight = counts[passage.voice] * (_ALARM if place in candidates[source][1].alarms else 1.0)
                if source in taken and _is_specific(passage):
                    weight = max(weight, _TAKEN)
                if open_ended and ANSWERED in passage.text:
                    weight = max(weight, _TAKEN) * _BINDS
                tied = ties[place] * less
                if kinds and has_value_of(passage.text, kinds):
                    weight = max(weight, _ANSWERS)
                elif kinds:
                    spoken, tied = spoken * _UNASKED, tied * _UNASKED_TIES
                if (source, place) in topic:
                    spoken = max(spoken, _PROSE * ties[place])
                if open_ended:
                    weight *= _act_weight(passage, asked_for=not place and _answers_question(candidates, source))
                    if source in came.told and not place:
                        weight = max(weight, _TAKEN) * _CAME
                    elif source in came.settling:
                        weight *= _SETTLES
                    weight *= _OLDEST + (1 - _OLDEST) * source / len(candidates)
                    told = speech is not None and speech(passage) and self._weights.new_in(passage)
                    spoken = _PROSE if told else spoken * ties_left
                    tied *= ties_left
                crowd = crowds[ties[place]] if crowds else 1.0
                found.append(Candidate(passage, source, place, tied, spoken, weight, crowd))
        return found


def _newer(found: Sequence[Candidate], stated_again: Mapping[tuple[int, int], tuple[int, int]]) -> dict[int, int]:
    """The candidates that were stated again, each with the one that did."""
    if not stated_again:
        return {}
    numbers = {(one.source, one.place): number for number, one in enumerate(found)}
    return {numbers[old]: numbers[new] for old, new in stated_again.items() if old in numbers and new in numbers}


def _accepted_offers(candidates: Sequence[Read], standing: Sequence[Read]) -> frozenset[int]:
    """The places of what assistants said that offered something, which the user took right behind it."""
    said = [(m.seq, place, m) for place, (m, _) in enumerate(candidates)]
    said += [(m.seq, -1, m) for m, _ in standing if m.origin == "record"]
    return frozenset(
        place
        for (_, place, offer), (_, _, reply) in pairwise(sorted(said, key=lambda one: one[0]))
        if place >= 0 and offer.role is Role.ASSISTANT and reply.role is Role.USER
        if accepts_offer(reply.content) and has_offer(offer.content)
    )


def _is_specific(passage: Passage) -> bool:
    """Whether it says a name, a figure or a code."""
    return any(worth > ORDINARY for worth in passage.values.values())


def _binds(passage: Passage) -> bool:
    """Whether somebody states, wishes, decides or settles something with a passage, or gives a name or a value."""
    if passage.voice != "user":
        return ANSWERED in passage.text
    return _act_weight(passage, asked_for=False) > 1 or (_is_specific(passage) and not is_question(passage.text))


def _act_weight(passage: Passage, *, asked_for: bool) -> float:
    """How much more than another one a sentence counts by what its speaker does with it."""
    if passage.voice != "user" or passage.text.startswith(QUOTE):
        return 1.0
    text = passage.text
    if stated(text) or is_labelled(text) or (is_report(text) and not is_report(last(text))):
        return _BINDS
    if is_question(passage.text):
        return _WONDERS
    return _ASKED_FOR if asked_for else 1.0


def _remaining_ties_weight(question: Question, standing: Sequence[Read]) -> float:
    """How much ties with `question` tell: less where it asks for nothing in particular. Who says yes to what was put
    right before it means that."""
    text = question.text
    if is_continuation(text):
        accepted = _last_question(standing) and accepts_offer(text) and not is_question(text)
        return 1.0 if question.repeated or accepted else _GOES_ON
    return _WANTS_ALL if asks_for_everything(text) else 1.0


def _last_question(standing: Sequence[Read]) -> bool:
    """Whether the newest message of an assistant that stands asks or offers something."""
    said = [message for message, _ in standing if message.role is Role.ASSISTANT and message.content.strip()]
    return bool(said) and put(said[-1].content) != ""


def _answers_question(candidates: Sequence[Read], source: int) -> bool:
    """Whether an assistant asked something right before what stands at `source`."""
    before = candidates[source - 1][0] if source else None
    return before is not None and before.role is Role.ASSISTANT and before.content.rstrip().endswith(("?", "？", "؟"))


def _own_share(passage: Passage) -> float:
    """How much of its message's bearing on the question a passage has, by what it says itself."""
    said = sum(worth for value, worth in passage.values.items() if value not in ASKING_WORDS)
    asks = passage.text.endswith(("?", "？")) and not _is_specific(passage)
    return said / (said + _SAYS) * (_ASKS if asks else 1.0)


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


def _prose_share(candidates: Sequence[Read]) -> float:
    """The share of the candidates' tokens that people and assistants said, calls and results being the rest."""
    total = sum(message.tokens for message, _ in candidates)
    said = sum(m.tokens for m, _ in candidates if m.role is not Role.TOOL and not m.tool_calls)
    return said / total if total else 0.0


def _scarcity(candidates: Sequence[Read], room_tokens: int, roles: Collection[Role]) -> float:
    """1 where there is room for hardly any of what `roles` said, 0 where there is for all of it: then nothing is to be
    found out about which of it is meant."""
    readings = [reading for message, reading in candidates if message.role in roles]
    said = sum(passage.brief_tokens for one in readings for passage in one.passages if passage.voice in _SAID)
    return max(0.0, 1 - room_tokens / said) if said else 0.0
