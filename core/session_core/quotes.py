"""The quotes that answer a question: chosen, each with what corrected it beside it, marked where answers differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from session_core.compress.amended import amended
from session_core.compress.bearing import Question
from session_core.compress.evidence import TIGHT_TOKENS, Evidence
from session_core.compress.passages import PASSAGE_CHARACTERS, QUOTE, Reading, stems
from session_core.compress.ties import Quote, mark, ties
from session_core.language.orders import commands
from session_core.language.quoting import WITHIN
from session_core.plan import Count, Fact, Recalled
from session_core.recalling import speaker
from session_core.retrieve import terms
from session_core.turns import Message, Role

WHY_WORDS = 4
"""Words that are named to explain why a message was quoted."""

Read = Callable[[Message], Reading]


@dataclass(frozen=True, slots=True)
class Quotes:
    """A block of quotes ("" for none), what is quoted and why, and the `rows` of messages that stand in the view
    shortened, by their ids."""

    block: str = ""
    quoted: tuple[Recalled, ...] = ()
    rows: Mapping[str, str] = field(default_factory=dict)


def quotes(
    question: Question,
    sources: Sequence[Message],
    standing: Sequence[Message],
    *,
    later: Callable[[], Sequence[Fact]],
    read: Read,
    room_tokens: int,
    count: Count,
    inset: Collection[str] = (),
) -> Quotes:
    """What of `sources` bears on `question` beside the messages `standing`, as one block in at most `room_tokens`,
    and what it quotes and why; "" for nothing.

    Of the messages whose ids are `inset`, which stand in the view shortened, it is not in the block but by itself.
    What one of the facts `later` corrects is quoted with its correction; sentences that answer with different
    values are marked.
    """
    found = [(message, read(message)) for message in sources]
    weighed = Evidence(question, found, [(message, read(message)) for message in standing], count=count, inset=inset)
    block, quoted = weighed.chosen(room_tokens)
    mend = partial(amended, line_characters=0 if room_tokens <= TIGHT_TOKENS else PASSAGE_CHARACTERS)
    facts = later() if quoted else ()
    if any(after is not before for before, after in zip(quoted, mend(quoted, facts), strict=True)):
        # Some of it was corrected: it is chosen anew, with all corrections told.
        for place, after in enumerate(mend(sources, facts)):
            if after is not sources[place]:
                weighed.amend(place, (after, read(after)))
        block, quoted = weighed.chosen(room_tokens)
    differ = _differing(question.text, block, quoted, read)
    if differ and count(f"{block}\n{differ}") > room_tokens:
        smaller = weighed.shortened(room_tokens - count(differ) - 1)
        if differ := _differing(question.text, *smaller, read):
            block, quoted = smaller
    marked = f"{block}\n{differ}"
    if differ and count(marked) <= room_tokens:
        block = marked
    return Quotes(block, _why(question, quoted, sources, read), weighed.rows)


def _differing(query: str, block: str, quoted: Sequence[Message], read: Read) -> str:
    """A line on those sentences of `block` that answer `query` with different values; "" for none. What somebody
    only quoted, and what speaks like an order, has no part in it."""
    lines = {line.removeprefix(WITHIN) for line in block.splitlines()}
    said = [message for message in quoted if message.role in (Role.USER, Role.ASSISTANT)]
    return mark(
        ties(
            query,
            [
                Quote(passage.text.removeprefix(f"{message.author}: "), speaker(message), message.time_s)
                for message in said
                for passage in read(message).passages
                if passage.voice != "call" and not lines.isdisjoint((passage.text, passage.brief or passage.text))
                if not passage.text.startswith(QUOTE) and not commands(passage.text)
            ],
        )
    )


def _why(question: Question, quoted: Sequence[Message], sources: Sequence[Message], read: Read) -> tuple[Recalled, ...]:
    """What each quoted message has to do with the question: words, meaning, or what the last messages speak of."""
    asked, near = {word: stems(word) for word in terms(question.text)}, question.nearness
    lately = {value for reading in question.last for passage in reading.passages for value in passage.values}
    lately = {value for value in lately if any(map(str.isdigit, value))}
    nearest = set()
    if near is not None:
        order = sorted(range(len(sources)), key=lambda place: -near[place])
        nearest = {(sources[place].seq, sources[place].id) for place in order[: max(3, len(order) // 10)]}
    told: list[Recalled] = []
    for message in quoted:
        reading = read(message)
        shared = [word for word, forms in asked.items() if any(form in reading.words for form in forms)][:WHY_WORDS]
        stated = (value for passage in reading.passages for value in passage.values if value in lately)
        again = list(dict.fromkeys(stated))[:WHY_WORDS]
        why = [f"has {', '.join(shared)} of the question"] if shared else []
        why += ["near to it in meaning"] if (message.seq, message.id) in nearest else []
        why += [f"has {', '.join(again)}, which was used again lately"] if again else []
        told.append(
            Recalled(message.seq, message.id, speaker(message), "; ".join(why) or "stands beside what answers it")
        )
    return tuple(told)
