"""The quotes that answer a question: chosen, each with what corrected it beside it, marked where answers differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def quotes(
    question: Question,
    sources: Sequence[Message],
    standing: Sequence[Message],
    *,
    later: Callable[[], Sequence[Fact]],
    read: Read,
    room_tokens: int,
    count: Count,
) -> tuple[str, tuple[Recalled, ...]]:
    """What of `sources` bears on `question` beside the messages `standing`, as one block in at most `room_tokens`,
    and what it quotes and why; "" for nothing.

    What one of the facts `later` corrects is quoted with its correction; sentences that answer with different
    values are marked.
    """
    found = [(message, read(message)) for message in sources]
    weighed = Evidence(question, found, [(message, read(message)) for message in standing], count=count)
    tight = room_tokens <= TIGHT_TOKENS
    mended = amended(sources, later(), line_characters=0 if tight else PASSAGE_CHARACTERS) if sources else ()
    corrected = {place: after for place, after in enumerate(mended) if after is not sources[place]}
    block, quoted = weighed.chosen(room_tokens) if tight or not corrected else ("", [])
    if corrected and not (tight and {sources[place].seq for place in corrected}.isdisjoint(one.seq for one in quoted)):
        # What was corrected is longer now: in tight room that tells only where some of it is quoted.
        for place, after in corrected.items():
            weighed.amend(place, (after, read(after)))
        block, quoted = weighed.chosen(room_tokens)
    differ = _differing(question.text, block, quoted, read)
    if differ and count(block) + count(differ) + 1 > room_tokens:
        smaller = weighed.shortened(room_tokens - count(differ) - 1)
        if differ := _differing(question.text, *smaller, read):
            block, quoted = smaller
    marked = f"{block}\n{differ}"
    if differ and count(marked) <= room_tokens:
        block = marked
    return block, _why(question, quoted, sources, read)


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
                if (passage.text in lines or passage.brief in lines) and passage.voice != "call"
                if not passage.text.startswith(QUOTE) and not commands(passage.text)
            ],
        )
    )


def _why(question: Question, quoted: Sequence[Message], sources: Sequence[Message], read: Read) -> tuple[Recalled, ...]:
    """What each quoted message has to do with the question: words, meaning, or what the last messages speak of."""
    asked, near = {word: frozenset(stems(word)) for word in terms(question.text)}, question.nearness
    lately = {value for reading in question.last for passage in reading.passages for value in passage.values}
    lately = {value for value in lately if any(map(str.isdigit, value))}
    nearest = set()
    if near is not None:
        order = sorted(range(len(sources)), key=lambda place: -near[place])
        nearest = {(sources[place].seq, sources[place].id) for place in order[: max(3, len(order) // 10)]}
    told: list[Recalled] = []
    for message in quoted:
        reading = read(message)
        shared = [word for word, forms in asked.items() if not forms.isdisjoint(reading.words)][:WHY_WORDS]
        stated = [value for one in reading.passages for value in one.values if value in lately] if lately else ()
        again = list(dict.fromkeys(stated))[:WHY_WORDS]
        why = [f"has {', '.join(shared)} of the question"] if shared else []
        why += ["near to it in meaning"] if (message.seq, message.id) in nearest else []
        why += [f"has {', '.join(again)}, which was used again lately"] if again else []
        told.append(
            Recalled(message.seq, message.id, speaker(message), "; ".join(why) or "stands beside what answers it")
        )
    return tuple(told)
