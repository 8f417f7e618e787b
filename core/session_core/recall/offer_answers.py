"""Adds the answer to an offer or question, so that nothing settled is shown as if it were open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from session_core.classify import is_filler
from session_core.facts import own_words
from session_core.language.acceptance import chosen_from, find_offer, is_only_answer, left_as_it_is, put, settles_offer
from session_core.language.amending import ENDS, names
from session_core.language.slots import typed
from session_core.language.words import one_line, sentences
from session_core.turns import Message, Role

ANSWERED = " (answered: “"
"""Separates a question or offer from its answer."""


def with_answers(messages: Sequence[Message], around: Iterable[Message]) -> list[Message]:
    """`messages` of a record, with the answer added to each assistant's offer that the next message of those
    `around` answers: "Shall I book the Hilton (answered: “Yes please.”)"."""
    said = {message.seq: message for message in around if message.origin == "record"}
    return [_with_answer(message, said.get(message.seq + 1)) for message in messages]


def _with_answer(message: Message, reply: Message | None) -> Message:
    if message.role is not Role.ASSISTANT or reply is None or reply.role is not Role.USER or message.tool_calls:
        return message
    answers = sentences(own_words(reply))
    chosen = next((one for one in answers if chosen_from(message.content, one)), None)
    answer = chosen or next(iter(answers), "")
    left = left_as_it_is(message.content, answer)
    if not is_only_answer(answer) or (_speaks_for_itself(answer) and left is None):
        return message
    offer = find_offer(message.content, is_filler)
    if offer is not None and settles_offer(offer, answer):
        asked = put(message.content)
    elif chosen is not None or left is not None:
        asked = sentences(message.content)[-1]
    else:
        return message
    bare = asked.rstrip(ENDS)
    text = f"{bare}{ANSWERED}{one_line(answer)}”){asked[len(bare) :]}"
    return replace(message, content=message.content.replace(asked, text, 1))


def _speaks_for_itself(answer: str) -> bool:
    """Whether an answer names something, so that it is quoted on its own."""
    return bool(names(answer.partition(" ")[2])) or bool(typed(answer))
