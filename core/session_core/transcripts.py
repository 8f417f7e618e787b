"""Reads JSON and JSONL transcripts of OpenAI, Anthropic, LangChain and LlamaIndex, without these libraries."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from session_core.errors import InputError, TranscriptError, named_type, shown
from session_core.serial.plain_messages import is_message, messages_from_plain
from session_core.turns import Message

STDIN = Path("/dev/stdin")
"""The path for `read` of what another program writes."""
_LINES = frozenset({".jsonl", ".ndjson"})
_LISTS = ("messages", "history", "chat_history")
_NAMES = ("session_id", "conversation_id", "thread_id", "id", "name", "key")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Transcript:
    """One conversation of a file, named as in the file or else after it; with a tenant if the file has one."""

    name: str
    messages: tuple[Message, ...]
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A position in a file."""

    path: Path
    where: str = ""

    def at(self, where: str) -> _Place:
        return _Place(self.path, f"{self.where}, {where}" if self.where else where)

    def error(self, wrong: object, mend: str) -> TranscriptError:
        place = f"{self.path}, {self.where}" if self.where else str(self.path)
        return TranscriptError(f"{place}: {wrong}; {mend}")


def read(path: str | Path) -> list[Transcript]:
    """The conversations in the file, in its order. `.gz` is opened; a line may be a message or a whole one.

    Raises: TranscriptError, with the file, the line and the fix. Tool results without their
    calls are read here, and refused when they are appended.
    """
    place = _Place(Path(path))
    text = _text(place)
    name = _stem(place.path)
    if not text.strip():
        raise place.error("it is empty", "a transcript is a JSON list of messages, or a message a line")
    found = _from_lines(text, place, name) if _is_lines(text, place) else _from_value(_json(text, place), place, name)
    kept = [transcript for transcript in found if transcript.messages]
    if not kept:
        raise place.error("it contains no message", "a transcript is a JSON list of messages, or a message a line")
    return kept


def message_from_plain(plain: Mapping[str, Any]) -> Message:
    """The message in `plain`, in the shape of the OpenAI chat API or of a framework's dump.

    Raises: InputError (UnknownRole among them) for what is no message, or is more than one.
    """
    found = messages_from_plain(plain)
    if not found:
        raise InputError("a reasoning item without readable text; leave it out")
    if len(found) != 1:
        raise InputError(f"a dict with the results of {len(found)} tool calls; pass a message for each")
    return found[0]


def _text(place: _Place) -> str:
    try:
        # Opening it by its path would fail for a socket, which it is over ssh.
        data = sys.stdin.buffer.read() if place.path == STDIN else place.path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise place.at(f"line {line}").error("not UTF-8", "save the file as UTF-8") from None
    except (OSError, EOFError, zlib.error) as exc:
        raise place.error(f"cannot be read ({exc})", "name a JSON or JSONL file, plain or gzipped") from exc


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return Path(name).stem or name


def _is_lines(text: str, place: _Place) -> bool:
    """Whether each line is a JSON value: by the file name, or because the whole file is not one value."""
    suffix = Path(place.path.name.removesuffix(".gz")).suffix.lower()
    if suffix in _LINES:
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and _parses(lines[0]) and lines[0].lstrip()[0] in "{[" and not _parses(text)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _json(text: str, place: _Place, *, line: int = 0) -> Any:
    try:
        return json.loads(text)
    except JSONDecodeError as exc:
        where = place.at(f"line {line or exc.lineno}")
        raise where.error(f"not JSON ({exc.msg} at character {exc.colno})", "fix or remove it") from None
    except RecursionError as exc:
        raise place.at(f"line {line or 1}").error("nested too deep", "fix or remove it") from exc


def _from_lines(text: str, place: _Place, name: str) -> Iterator[Transcript]:
    """Lines with messages form one conversation; a line with a conversation is one of its own."""
    messages: list[Message] = []
    others: list[Transcript] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        value, here = _json(line, place, line=number), place.at(f"line {number}")
        if is_message(value):
            messages.extend(_messages([value], here))
        else:
            others.extend(_from_value(value, here, f"{name}-{len(others) + 1}"))
    yield Transcript(name, tuple(messages))
    yield from others


def _from_value(value: Any, place: _Place, name: str) -> Iterator[Transcript]:
    """The conversations in a JSON value: a list of messages, an object around it, or several of either."""
    if isinstance(value, str):
        value = _json(value, place)
    if is_message(value):
        yield Transcript(name, tuple(_messages([value], place)))
    elif isinstance(value, Mapping):
        yield from _from_object(value, place, name)
    elif isinstance(value, list) and value and all(map(_is_conversation, value)):
        for number, one in enumerate(value, start=1):
            yield from _from_value(one, place.at(f"conversation {number}"), f"{name}-{number}")
    elif isinstance(value, list):
        yield Transcript(name, tuple(_messages(value, place, numbered=True)))
    else:
        raise place.error(f"{named_type(value)} is not a conversation", "write a list of messages")


def _is_conversation(value: Any) -> bool:
    """Whether an item of a list is a conversation rather than a message (or a broken one)."""
    return isinstance(value, list) or (isinstance(value, Mapping) and _messages_in(value) is not None)


def _messages_in(value: Mapping[str, Any]) -> list[Any] | None:
    """The message list of an object that represents a conversation."""
    return next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None)


def _from_object(value: Mapping[str, Any], place: _Place, name: str) -> Iterator[Transcript]:
    memory = value.get("chat_store", value)
    store = memory.get("store") if isinstance(memory, Mapping) else None
    if isinstance(store, Mapping):
        for key, messages in store.items():
            yield from _from_value(messages, place.at(f"key {key!r}"), str(key))
        return
    said = _messages_in(value)
    if said is None:
        keys = ", ".join(map(shown, value)) or "none"
        raise place.error(
            f"an object with the keys {keys} is neither a message nor a conversation",
            'a message has "role" and "content", a conversation has "messages"',
        )
    named = next((str(value[key]) for key in _NAMES if isinstance(value.get(key), str | int)), name)
    system = value.get("system")
    opening = [{"role": "system", "content": system}] if isinstance(system, str | list) and system else []
    first = _messages(opening, place.at("system"))
    tenant = value.get("tenant")
    whose = tenant if isinstance(tenant, str) else None
    yield Transcript(named, (*first, *_messages(said, place, numbered=True)), whose)


def _messages(items: Sequence[Any], place: _Place, *, numbered: bool = False) -> Iterator[Message]:
    """`items` as messages; an item that is JSON text, as in Redis, is parsed first."""
    for number, item in enumerate(items, start=1):
        here = place.at(f"message {number}") if numbered else place
        plain = _json(item, here) if isinstance(item, str) else item
        try:
            found = messages_from_plain(plain)
        except InputError as exc:
            raise here.error(exc, "fix or remove it") from exc
        yield from found
