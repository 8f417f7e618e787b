"""Parts shared by the payloads of all providers: exchanges with valid ids, names, arguments, and placeholders."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from session_core.media import Source, source_of
from session_core.turns import Media, Message, Role, ToolCall

MAX_NAME_CHARACTERS = 64
MAX_ID_CHARACTERS = 40
"""The shorter of the two APIs' limits where both have one."""

NO_OUTPUT = "(no output)"
"""What stands for a result that says nothing, or that is missing where two calls shared one id."""

_ODD = re.compile(r"[^a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message, or an assistant's message with the results of its calls, in the order of the calls."""

    message: Message
    results: tuple[Message, ...] = ()


def exchanges(messages: Sequence[Message]) -> Iterator[Exchange]:
    """The messages of a view in their order, with text that can be sent, and ids of calls that are used once.

    An id stays as it is where it can. One that has odd characters, is too long or is used a second time becomes
    another, made of the message's id and its own, so that it is the same in the next view.
    """
    known: set[str] = set()
    place = 0
    while place < len(messages):
        message = _sayable(messages[place])
        behind = place + 1
        while behind < len(messages) and messages[behind].role is Role.TOOL:
            behind += 1
        results = [_sayable(result) for result in messages[place + 1 : behind]]
        place = behind
        if not message.tool_calls:
            yield Exchange(message)
            continue
        yield _renamed(message, results, known)


def _renamed(message: Message, results: Sequence[Message], known: set[str]) -> Exchange:
    calls: list[ToolCall] = []
    answers: list[Message] = []
    left = list(results)
    for index, call in enumerate(message.tool_calls):
        allowed = _allowed(call.id, f"{message.id}:{index}", known)
        calls.append(replace(call, id=allowed))
        answer = next((one for one in left if one.tool_call_id == call.id), None)
        if answer is None:
            answer = Message(Role.TOOL, NO_OUTPUT, tool_call_id=call.id, name=call.name)
        else:
            left.remove(answer)
        answers.append(replace(answer, tool_call_id=allowed))
    return Exchange(replace(message, tool_calls=tuple(calls)), tuple(answers))


def _allowed(called: str, where: str, known: set[str]) -> str:
    fine = called and not _ODD.search(called) and len(called) <= MAX_ID_CHARACTERS and called not in known
    allowed = (
        called
        if fine
        else "call_" + blake2b(f"{where}:{called}".encode("utf-8", "replace"), digest_size=12).hexdigest()
    )
    while allowed in known:
        allowed = "call_" + blake2b(allowed.encode(), digest_size=12).hexdigest()
    known.add(allowed)
    return allowed


def _sayable(message: Message) -> Message:
    """The message with a question mark for each half of a surrogate pair, which no request can hold."""
    sentence, texts = sayable(message.content), [sayable(call.arguments) for call in message.tool_calls]
    if sentence == message.content and texts == [call.arguments for call in message.tool_calls]:
        return message
    calls = tuple(replace(call, arguments=text) for call, text in zip(message.tool_calls, texts, strict=True))
    return replace(message, content=sentence, tool_calls=calls)


def sayable(text: str) -> str:
    """`text` with a question mark for what UTF-8 has no place for."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def plain_name(name: str | None) -> str | None:
    """`name` as both APIs take it: what is odd becomes an underscore; None when nothing is left."""
    plain = _ODD.sub("_", name or "")[:MAX_NAME_CHARACTERS]
    return plain if plain.strip("_") else None


def tool_name(name: str) -> str:
    """The name of a tool, as `plain_name` has it; a call always names one."""
    return plain_name(name) or "tool"


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """The arguments of `call`; text that is no JSON object stands whole under the key `arguments`."""
    found = json_object(call.arguments or "{}")
    return found if found is not None else {"arguments": call.arguments}


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None when it is something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def stand_in(media: Media, why: str) -> str:
    """The text that a model is shown in the place of a part that an API does not take."""
    source = source_of(media)
    return f"[{media.kind} not shown: {source.mime}, {why}]"


def web_address(source: Source) -> str | None:
    """The address of `source`, where a provider can fetch it."""
    url = source.url
    return url if url is not None and re.match(r"https?://\S+$", url) else None


def sound_base64(source: Source) -> str | None:
    """The data of `source` without its line breaks, where it is base64 that can be read."""
    data = "".join((source.base64 or "").split())
    try:
        return data if data and base64.b64decode(data, validate=True) else None
    except (binascii.Error, ValueError):
        return None
