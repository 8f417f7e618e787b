"""Selects the quotes that answer a question, each with its correction, and marks contradictory answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from session_core.language.instructions import is_instruction
from session_core.passages.named_passages import add_named_passages
from session_core.passages.reading import PASSAGE_CHARACTERS, QUOTE, Reading
from session_core.passages.scoring import Question
from session_core.passages.word_values import stems
from session_core.plan import Count, Fact, GiveWay, Recalled, never_pause
from session_core.recall.amendments import with_corrections
from session_core.recall.conflicts import Quote, conflict_line, find_conflicts, has_value
from session_core.recall.evidence import TIGHT_TOKENS, Evidence, QuotedPassage
from session_core.recall.recalling import speaker
from session_core.retrieval.retrieve import terms
from session_core.turns import Message

WHY_WORDS = 4
"""How many words are named to explain why a message was quoted."""

Read = Callable[[Message], Reading]


@dataclass(frozen=True, slots=True)
class Quotes:
    """A block of quotes ("" for none), what it quotes and why, and the `rows` of messages that the view shows
    shortened, by id."""

    block: str = ""
    quoted: tuple[Recalled, ...] = ()
    rows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sources:
    """The `messages` that may be quoted, and those that the view shows: `standing`, of which it shortens those with ids
    in `inset`. `later` finds the facts that may correct what they state."""

    messages: Sequence[Message]
    standing: Sequence[Message]
    later: Callable[[], Sequence[Fact]]
    inset: Collection[str] = ()


def select_quotes(
    question: Question,
    among: Sources,
    *,
    read: Read,
    room_tokens: int,
    count: Count,
    give_way: GiveWay = never_pause,
) -> Quotes:
    """What is relevant to `question`, as one block of at most `room_tokens`.

    Rows of messages that the view shows shortened are returned separately. A corrected statement is quoted with its
    correction; sentences that answer with different values are marked. `give_way` is called between the parts of the
    work.
    """
    sources = among.messages
    found = add_named_passages(question.text, [(message, read(message)) for message in sources])
    shown = [(message, read(message)) for message in among.standing]
    weighed = Evidence(question, found, shown, count=count, inset=among.inset, give_way=give_way)
    tight = room_tokens <= TIGHT_TOKENS
    mended = (
        with_corrections(sources, among.later(), line_characters=0 if tight else PASSAGE_CHARACTERS) if sources else ()
    )
    corrected = {place: after for place, after in enumerate(mended) if after is not sources[place]}
    if tight and corrected:
        # Corrected sentences are longer: in tight room that matters only if some of them would be quoted.
        weighed.choose(room_tokens)
        said = {message.seq for message, _ in weighed.quote(room_tokens).passages}
        corrected = {} if said.isdisjoint(sources[place].seq for place in corrected) else corrected
    for place, after in corrected.items():
        weighed.amend(place, (after, read(after)))
    weighed.choose(room_tokens)
    differ = _conflict_lines(question.text, weighed.chosen_passages)
    quoted = weighed.quote(room_tokens, differ)
    if (kept := len(quoted.passages)) < len(weighed.chosen_passages) and (
        still := _conflict_lines(question.text, quoted.passages)
    ) != differ:
        quoted = weighed.quote(room_tokens, still, most=kept if still else None)
    return Quotes(quoted.block, _reasons(question, quoted.messages, sources, read), quoted.rows)


def _conflict_lines(query: str, said: Sequence[QuotedPassage]) -> str:
    """A line about sentences that answer `query` with different values; "" for none. Quoted text, and text that reads
    like an instruction, is ignored."""
    return conflict_line(find_conflicts(query, list(_answers(said))))


def _answers(said: Sequence[QuotedPassage]) -> Iterator[Quote]:
    for message, passage in said:
        if passage.voice not in ("user", "assistant") or passage.text.startswith(QUOTE):
            continue
        text = passage.text.removeprefix(f"{message.author}: ") if message.author else passage.text
        if has_value(text) and not is_instruction(passage.text):
            yield Quote(text, speaker(message), message.time_s)


def _reasons(
    question: Question, quoted: Sequence[Message], sources: Sequence[Message], read: Read
) -> tuple[Recalled, ...]:
    """Why each message was quoted: shared words, similar meaning, or values of the last messages."""
    asked, near = {word: frozenset(stems(word)) for word in terms(question.text)}, question.nearness
    forms_asked = frozenset[str]().union(*asked.values())
    lately = {value for reading in question.last for passage in reading.passages for value in passage.values}
    lately = {value for value in lately if any(map(str.isdigit, value))}
    nearest = set()
    if near is not None:
        order = sorted(range(len(sources)), key=lambda place: -near[place])
        nearest = {(sources[place].seq, sources[place].id) for place in order[: max(3, len(order) // 10)]}
    told: list[Recalled] = []
    for message in quoted:
        reading = read(message)
        there = forms_asked.intersection(reading.words)
        shared = [word for word, forms in asked.items() if not there.isdisjoint(forms)][:WHY_WORDS] if there else []
        stated = [value for one in reading.passages for value in one.values if value in lately] if lately else ()
        again = list(dict.fromkeys(stated))[:WHY_WORDS]
        why = [f"matches {', '.join(shared)}"] if shared else []
        why += ["close in meaning"] if (message.seq, message.id) in nearest else []
        why += [f"contains {', '.join(again)}, used recently"] if again else []
        told.append(Recalled(message.seq, message.id, speaker(message), "; ".join(why) or "next to a match"))
    return tuple(told)
