"""Replaces view messages in a node's output by those of the state, so that nothing made for a view gets into it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage, RemoveMessage
from langgraph.types import Command, Overwrite, Send
from pydantic import BaseModel

from langchain_session.conversion.marks import mark_of
from langchain_session.in_run import Fit

_OVERWRITE = "__overwrite__"


@dataclass(frozen=True, slots=True)
class OutputMapping:
    """Maps the outputs of a node that was shown `fit` under `channel` back to the messages of the state.

    A clip becomes its original, a digest the messages it covers, a quote from the record is removed; a message that the
    node changed stays as it is. Outputs without view messages are returned unchanged.
    """

    fit: Fit
    channel: str

    def __call__(self, output: Any) -> Any:
        return self._output(output) if self.fit.stands_for else output

    def _output(self, output: Any) -> Any:
        match output:
            case Command():
                return self._command(output)
            case Send():
                return self._send(output)
            case BaseMessage():
                return self._value(output)
            case list() | tuple() if any(isinstance(part, BaseMessage) for part in output):
                return self._value(output)
            case list() | tuple():
                return self._parts(output, self._output)
            case _:
                value = messages_under(output, self.channel)
                restored = self._value(value)
                return output if restored is value else put(output, self.channel, restored)

    def _command(self, command: Command[Any]) -> Command[Any]:
        update, goto = self._update(command.update), self._output(command.goto)
        if update is command.update and goto is command.goto:
            return command
        return replace(command, update=update, goto=goto)

    def _send(self, send: Send) -> Send:
        arg = self._output(send.arg)
        if arg is send.arg:
            return send
        made = copy.copy(send)
        made.arg = arg
        return made

    def _update(self, update: Any) -> Any:
        pairs = isinstance(update, list | tuple) and all(isinstance(p, tuple) and len(p) == 2 for p in update)
        return self._parts(update, self._pair) if pairs else self._output(update)

    def _pair(self, pair: tuple[Any, Any]) -> tuple[Any, Any]:
        name, value = pair
        restored = self._value(value) if name == self.channel else value
        return pair if restored is value else (name, restored)

    def _parts(self, parts: Any, restored: Callable[[Any], Any]) -> Any:
        made = [restored(part) for part in parts]
        same = all(one is other for one, other in zip(made, parts, strict=True))
        return parts if same else (tuple(made) if isinstance(parts, tuple) else made)

    def _value(self, value: Any) -> Any:
        """A channel's value or update, mapped back."""
        match value:
            case BaseMessage():
                whole = self._messages([value])
                return value if len(whole) == 1 and whole[0] is value else whole
            case list() | tuple() if any(isinstance(part, BaseMessage) for part in value):
                whole = self._messages(value)
                same = len(whole) == len(value) and all(a is b for a, b in zip(whole, value, strict=True))
                return value if same else whole
            case Overwrite():
                restored = self._value(value.value)
                return value if restored is value.value else Overwrite(restored)
            case dict() if set(value) == {_OVERWRITE}:
                restored = self._value(value[_OVERWRITE])
                return value if restored is value[_OVERWRITE] else {_OVERWRITE: restored}
        return value

    def _messages(self, said: Sequence[Any]) -> list[Any]:
        listed = {id(m) for m in said} | {m.id for m in said if isinstance(m, BaseMessage) and m.id}
        beside = {m.id for m in self.fit.shown if m.id not in self.fit.stands_for}
        whole: list[Any] = []
        opened = False
        for message in said:
            behind = self._originals_of(message)
            if behind is None:
                whole.append(message)
            elif isinstance(message, RemoveMessage):
                whole += [RemoveMessage(id=one.id) for one in behind if one.id and one.id not in beside]
            elif len(behind) == 1:
                whole += behind
            else:
                opened = True
                # Messages shown beside their digest (a rule, the question) have their place already.
                whole += [m for m in behind if m.id == message.id or not {id(m), m.id} & listed]
        return self._in_order(whole) if opened else whole

    def _originals_of(self, message: Any) -> tuple[BaseMessage, ...] | None:
        """The originals of a message; None if the message is not of the view."""
        if not isinstance(message, BaseMessage) or message.id not in self.fit.stands_for:
            return None
        behind = self.fit.stands_for[message.id]
        if isinstance(message, RemoveMessage):
            # An id of the state is removed as it is; a digest's id also removes what was folded since.
            return behind if len(behind) != 1 or behind[0].id != message.id else None
        return behind if mark_of(message) is not None else None

    def _in_order(self, said: list[Any]) -> list[Any]:
        """`said`, with the messages that the node was shown in the order of the state."""
        place = {id(message): at for at, message in enumerate(self.fit.raw)}
        slots = [at for at, message in enumerate(said) if id(message) in place]
        for at, message in zip(slots, sorted((said[at] for at in slots), key=lambda m: place[id(m)]), strict=True):
            said[at] = message
        return said


def messages_under(value: Any, channel: str) -> Any:
    """The messages under `channel` in a state, an update or an input; None if it has none."""
    if isinstance(value, Mapping):
        return value.get(channel)
    return getattr(value, channel, None) if isinstance(value, BaseModel) or is_dataclass(value) else None


def put(value: Any, channel: str, said: Any) -> Any:
    """A copy of `value` with `said` under `channel`; nothing else is changed or validated again."""
    if isinstance(value, dict):
        return {**value, channel: said}
    if isinstance(value, BaseModel):
        return value.model_copy(update={channel: said})
    made = copy.copy(value)
    object.__setattr__(made, channel, said)
    return made
