"""One turn of a runnable with a session: its input, the history that it gets, and what of it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    convert_to_messages,
    message_chunk_to_message,
)
from langchain_core.prompt_values import PromptValue

from langchain_session.conversion.messages import from_core, to_core, to_core_many
from session_core.errors import InputError, named_type
from session_core.plan import View
from session_core.services import Services
from session_core.turns import Message

BROKEN_OFF = "broken_off"
"""The key in the response metadata of an answer that arrived only in part."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the user's messages, the history and the answer in dicts; None selects the only key or "messages"."""

    input_messages: str | None = None
    history_messages: str | None = None
    output_messages: str | None = None


class Turn:
    """The messages of one turn, in the runnable's form and in the record's."""

    def __init__(self, given: Any, keys: Keys, services: Services) -> None:
        self._given, self._keys = given, keys
        self._input_key = _key(_without_history(given, keys), keys.input_messages, "input_messages_key")
        if keys.history_messages is not None and not isinstance(given, Mapping):
            raise InputError(
                f"{named_type(given)} has no place for the history under {keys.history_messages!r}; pass a dict, "
                "as the prompt wants it, or leave history_messages_key out"
            )
        self.live = _messages(given if self._input_key is None else given[self._input_key])
        self.input_messages: list[Message] = [services.prepare(message) for message in to_core_many(self.live)]
        self._sent: list[BaseMessage] = []

    @property
    def query(self) -> str | None:
        """The query for relevant old messages: the text of the last message."""
        return (self.input_messages[-1].content or None) if self.input_messages else None

    def to_read(self, seen: View) -> Any:
        """The runnable's input, with the history `seen`."""
        history = [message for message in seen.messages if message.seq < seen.pending_from]
        if self._keys.history_messages is not None:
            self._sent = _with_different_ids([*map(from_core, history), *self.live])
            return {**self._given, self._keys.history_messages: self._sent[: len(history)]}
        self._sent = _with_different_ids([self._original_or_shown(one, seen.pending_from) for one in seen.messages])
        return self._sent if self._input_key is None else {**self._given, self._input_key: self._sent}

    def complete(self, answer: Any) -> list[Message]:
        """All messages that the turn adds to the record. Raises: InputError if the answer contains no messages."""
        key = _key(answer, self._keys.output_messages, "output_messages_key")
        messages = _messages(answer if key is None else answer[key], AIMessage)
        news = [message for message in self._new_messages(messages) if not isinstance(message, RemoveMessage)]
        taken = to_core_many(map(message_chunk_to_message, news))
        return [*self.input_messages, *(message for message in taken if message.origin == "record")]

    def interrupted(self, part: Any) -> list[Message]:
        """What the turn adds if only a part of the answer arrived: its text, marked as broken off."""
        if part is None:
            return self.input_messages
        try:
            came = self.complete(part)[len(self.input_messages) :]
        except InputError:
            return self.input_messages
        texts = [AIMessage(m.content, response_metadata={BROKEN_OFF: True}) for m in came if m.content.strip()]
        return [*self.input_messages, *map(to_core, texts)]

    def _original_or_shown(self, message: Message, pending_from: int) -> BaseMessage:
        """The same message object that came in, if the view shows it unchanged."""
        if message.seq < pending_from or message.rendition != "whole":
            return from_core(message)
        return self.live[message.seq - pending_from]

    def _new_messages(self, messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
        """The messages of an answer that were not in the input: agents return their whole state, some of them with
        other messages before or instead of those that they got. Of those before the question only system messages are
        said in this turn; an agent with a memory of its own has turns there that a reset has ended."""
        known = len(self._sent)
        if len(messages) >= known and all(map(_same, messages, self._sent)):
            return messages[known:]
        sent, asked = {id(message) for message in self._sent}, {message.id for message in self.live if message.id}
        if not any(id(message) in sent or message.id in asked for message in messages):
            return messages
        named = {message.id for message in self._sent if message.id}
        live = {id(message) for message in self.live}
        begin = next((at for at, message in enumerate(messages) if id(message) in live or message.id in asked), 0)
        said = [message for message in messages[:begin] if message.type == "system"] + list(messages[begin:])
        return [message for message in said if id(message) not in sent and message.id not in named]


def _with_different_ids(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """`messages`, in copies without an id where a later one has it too: a graph would replace the earlier by it."""
    ids: set[str] = set()
    shown: list[BaseMessage] = []
    for message in reversed(messages):
        shown.append(message.model_copy(update={"id": None}) if message.id in ids else message)
        ids.update([message.id] if message.id else [])
    return shown[::-1]


def _same(one: BaseMessage, other: BaseMessage) -> bool:
    return one is other or (one.type == other.type and one.content == other.content and _calls(one) == _calls(other))


def _calls(message: BaseMessage) -> Any:
    return getattr(message, "tool_calls", None)


def _without_history(given: Any, keys: Keys) -> Any:
    """The dict `given` without the place of the history, which the input would be lost in. Raises: InputError."""
    if not isinstance(given, Mapping) or keys.history_messages not in given:
        return given
    rest = {key: value for key, value in given.items() if key != keys.history_messages}
    if not rest or keys.input_messages == keys.history_messages:
        raise InputError(
            f"input and history are both under {keys.history_messages!r}, where the history would replace the input; "
            "leave history_messages_key out to have it before the input, or name another key"
        )
    return rest


def _key(value: Any, named: str | None, option: str) -> str | None:
    """The key under which a dict has its messages; None if it is not a dict."""
    if not isinstance(value, Mapping):
        return None
    if named is None and len(value) == 1:
        return str(next(iter(value)))
    if named is None and "messages" in value:
        # The state of a graph or an agent.
        return "messages"
    if named is not None and named not in value:
        raise InputError(f"the dict has no key {named!r}, which {option} names; add it, or name another key")
    if named is None:
        raise InputError(
            f"a dict with {len(value)} keys does not say where its messages are: with_session(..., {option}=...)"
        )
    return named


def _messages(value: Any, speaker: type[BaseMessage] = HumanMessage) -> list[BaseMessage]:
    if isinstance(value, str):
        return [speaker(value)]
    if isinstance(value, BaseMessage):
        return [value]
    if isinstance(value, PromptValue):
        return value.to_messages()
    if isinstance(value, list | tuple):
        try:
            return convert_to_messages(list(value))
        except (LookupError, NotImplementedError, TypeError, ValueError) as exc:
            # Not its text, which quotes what was given.
            raise InputError(
                f"a list of {len(value)} messages holds something that LangChain cannot read as a message "
                f"({type(exc).__name__}); pass messages, strings, (role, text) pairs or dicts with role and content"
            ) from None
    if speaker is AIMessage:
        raise InputError(
            f"the runnable answered with {named_type(value)}, which contains no messages, so that only the input was "
            "stored; have it return a string or messages (a model with structured output: include_raw=True, and "
            "with_session(..., output_messages_key='raw'))"
        )
    raise InputError(f"{named_type(value)} contains no messages; pass a string, a message or a list of messages")
