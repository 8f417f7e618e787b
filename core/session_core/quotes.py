"""The quotes that answer a question: chosen, each with what corrected it beside it, marked where answers differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from session_core.compress.amended import amended
from session_core.compress.bearing import Question
from session_core.compress.evidence import TIGHT_TOKENS, Evidence, Quoted
from session_core.compress.passages import PASSAGE_CHARACTERS, QUOTE, Reading, stems
from session_core.compress.ties import Quote, mark, ties
from session_core.language.orders import commands
from session_core.plan import Count, Fact, Recalled
from session_core.recalling import speaker
from session_core.retrieve import terms
from session_core.turns import Message

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
    quoted = weighed.chosen(room_tokens) if tight or not corrected else Quoted()
    if corrected and not (tight and corrected.keys().isdisjoint(weighed.sources)):
        # What was corrected is longer now: in tight room that tells only where some of it is quoted.
        for place, after in corrected.items():
            weighed.amend(place, (after, read(after)))
        quoted = weighed.chosen(room_tokens)
    if differ := _differing(question.text, quoted):
        marked = weighed.shortened(room_tokens, differ)
        if len(marked.said) < len(quoted.said) and (still := _differing(question.text, marked)) != differ:
            marked = weighed.shortened(room_tokens, still) if still else quoted
        quoted = marked
    return quoted.block, _why(question, quoted.messages, sources, read)


def _differing(query: str, quoted: Quoted) -> str:
    """A line on those sentences that answer `query` with different values; "" for none. What somebody only quoted, and
    what speaks like an order, has no part in it."""
    said = [
        Quote(passage.text.removeprefix(f"{message.author}: "), speaker(message), message.time_s)
        for message, passage in quoted.said
        if passage.voice in ("user", "assistant")
        if not passage.text.startswith(QUOTE) and not commands(passage.text)
    ]
    return mark(ties(query, said))


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
