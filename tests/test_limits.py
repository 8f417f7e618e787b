"""Whatever a caller hands in comes back exactly, or is refused with a clear InputError before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fault_tools import KINDS, Places

from session_core import Sessions
from session_core.admission import MAX_BATCH_MESSAGES, MAX_ID_CHARACTERS, MAX_LABEL_CHARACTERS
from session_core.errors import InputError, MessageTooLarge
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Write
from session_core.testing import KEY, message
from session_core.turns import MAX_NAME_CHARACTERS, Key, Media, Message, Native, Role, ToolCall
from session_core.voices import run_blocking

MIB = 1024 * 1024
SECRET = "xyzzyplugh"


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, places: Places, tmp_path: Path) -> Iterator[SessionStore]:
    with places.store(request.param, tmp_path) as made:
        yield made


def said(**fields: Any) -> Message:
    return replace(message(1), **fields)


def calling(*calls: Any) -> Message:
    return Message(Role.ASSISTANT, SECRET, id="m1", tool_calls=calls)


ODD = [
    "nul \x00 in it",
    "half \ud83d of a pair",
    "\udfff",
    "\x01\x1b[2J\n\r\t\x7f",
    "e\u0301 \u202e 漢 \U0001f600",
    " ",
]
TAKEN = {
    **{f"id {number}": said(id=text) for number, text in enumerate(ODD)},
    **{f"content {number}": said(content=text) for number, text in enumerate(ODD)},
    **{f"author {number}": said(author=text) for number, text in enumerate(ODD)},
    **{f"call {number}": calling(ToolCall(text, text, text)) for number, text in enumerate(ODD)},
    **{
        f"result {number}": Message(Role.TOOL, text, id="r", tool_call_id=text, name=text, clip=text, clip_tokens=1)
        for number, text in enumerate(ODD)
    },
    "no id": said(id=""),
    "the longest id": said(id="i" * MAX_ID_CHARACTERS),
    "the longest name": said(name="n" * MAX_LABEL_CHARACTERS),
    "a long author": said(author="\U0001f600" * 1_024),
    "the longest call": calling(ToolCall("i" * MAX_ID_CHARACTERS, "n" * MAX_LABEL_CHARACTERS, "{" + "x" * 100_000)),
    "many calls": calling(*(ToolCall(f"c{number}", "look") for number in range(3_000))),
    "a list of calls": replace(message(1, Role.ASSISTANT), tool_calls=[ToolCall("c", "look")]),
    "media": said(media=(Media("image", "aGk=" * 100_000, "image/png"), Media("file", "https://example.org/\x00"))),
    "a time before all others": said(time_s=-1e10),
    "a time in milliseconds": said(time_s=1_700_000_000_000),
    "no time": said(time_s=None),
    "native": said(native=Native("f\x00", bytes(range(256)), b"\x00\xff"), aside="\x00 \ud800"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_odd_messages_come_back_exactly(kind: str, places: Places, tmp_path: Path) -> None:
    with places.store(kind, tmp_path) as store:
        for number, (name, one) in enumerate(TAKEN.items()):
            key = Key(f"s{number}")
            run_blocking(store.append(key, [one]))
            (found,) = run_blocking(store.record(key))
            assert replace(found, seq=0) == one, name
            if one.id:
                assert run_blocking(store.find(key, one.id)) == found, name
            value = {"messages": MessageList((one, message(2)))}
            row = Checkpoint(key, "1", None, Plain("t", b"b"), {"messages": 1})
            again = run_blocking(store.put_checkpoint(row, value, head_channel="messages", merge=True))
            assert again.new == 1, name
            assert run_blocking(store.delete(key)) == 2, name


REFUSED: dict[str, tuple[Any, str]] = {
    "no message": ({"role": "user", "content": SECRET}, "a dict is not a message"),
    "id of a number": (said(id=5), "id of type int"),
    "no id at all": (said(id=None), "id of type NoneType"),
    "long id": (said(id=SECRET[0] * (MAX_ID_CHARACTERS + 1)), "id of 65,537 characters"),
    "content of none": (said(content=None), "content of type NoneType"),
    "content of bytes": (said(content=SECRET.encode()), "content of type bytes"),
    "author of a number": (said(author=5), "author of type int"),
    "long author": (said(author="a" * (MAX_LABEL_CHARACTERS + 1)), "author of 8,193 characters"),
    "name of a list": (said(name=[SECRET]), "name of type list"),
    "long name": (said(name="a" * (MAX_LABEL_CHARACTERS + 1)), "name of 8,193 characters"),
    "call as a dict": (calling({"id": SECRET}), "a dict among its tool calls"),
    "call id of a number": (calling(ToolCall(5, "look")), "tool call id of type int"),  # type: ignore[arg-type]
    "long call id": (calling(ToolCall("i" * (MAX_ID_CHARACTERS + 1), "look")), "tool call id of 65,537"),
    "long tool name": (calling(ToolCall("i", "n" * 9_000)), "tool name of 9,000"),
    "arguments as a dict": (calling(ToolCall("i", "n", {"q": SECRET})), "arguments of a tool call of type dict"),  # type: ignore[arg-type]
    "answer to a number": (Message(Role.TOOL, SECRET, tool_call_id=5), "tool_call_id of type int"),  # type: ignore[arg-type]
    "media of a kind of its own": (said(media=(Media("smell", SECRET),)), "media of an unknown kind"),  # type: ignore[arg-type]
    "media of bytes": (said(media=(Media("image", SECRET.encode()),)), "data of media of type bytes"),  # type: ignore[arg-type]
    "media as a dict": (said(media=({"image": SECRET},)), "a dict among its media"),
    "native as a dict": (said(native={"data": SECRET}), "native of type dict"),
    "native text": (said(native=Native("f", SECRET)), "native data that is no bytes"),  # type: ignore[arg-type]
    "time as a text": (said(time_s=SECRET), "time_s of type str"),
    "no number": (said(time_s=float("nan")), "invalid time_s"),
    "never": (said(time_s=float("inf")), "invalid time_s"),
    "a number beyond all": (said(time_s=10**400), "invalid time_s"),
    "yes as a time": (said(time_s=True), "time_s of type bool"),
    "tokens below nothing": (said(tokens=-1), "invalid tokens"),
    "tokens beyond a column": (said(tokens=2**31), "invalid tokens"),
    "half a token": (said(tokens=1.5), "invalid tokens"),
    "importance as a text": (said(importance="must_keep"), "importance"),
    "clip of a number": (said(clip=5), "clip of type int"),
    "aside of none": (said(aside=None), "aside of type NoneType"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_unstorable_messages_are_refused_before_anything_is_written(kind: str, places: Places, tmp_path: Path) -> None:
    with places.store(kind, tmp_path) as store:
        for name, (one, why) in REFUSED.items():
            with pytest.raises(InputError, match=why) as caught:
                run_blocking(store.append(KEY, [message(7), one]))
            assert SECRET not in str(caught.value), name
            assert "session a tenant/a session: " in str(caught.value), name
            value = MessageList((message(7), one))
            row = Checkpoint(KEY, "1", None, Plain("t", b"b"), {"messages": 1})
            if isinstance(one, Message):
                with pytest.raises(InputError, match=why):
                    run_blocking(store.put_checkpoint(row, {"messages": value}, head_channel="messages", merge=True))
                with pytest.raises(InputError, match=why):
                    run_blocking(store.put_writes(KEY, "1", [Write("task", 0, "messages", value)]))
            assert run_blocking(store.state(KEY)) is None, name


def test_sessions_refuse_the_same_messages() -> None:
    with Sessions() as sessions:
        for name, (one, why) in REFUSED.items():
            if isinstance(one, Message):
                with pytest.raises(InputError, match=why):
                    sessions.session("s").append([one], lenient=True)
                assert sessions.session("s").record() == [], name


def test_more_messages_than_are_taken_at_once_are_refused(store: SessionStore) -> None:
    with pytest.raises(InputError, match="100,001 messages in one append, the limit is 100,000"):
        run_blocking(store.append(KEY, [message(1)] * (MAX_BATCH_MESSAGES + 1)))
    assert run_blocking(store.state(KEY)) is None


def test_more_bytes_than_are_taken_at_once_are_refused(store: SessionStore) -> None:
    large = message(1, content="x" * 16 * MIB)
    with pytest.raises(MessageTooLarge, match="the limit is"):
        run_blocking(store.append(KEY, [large] * 17))
    blob = Plain("bytes", bytes(257 * MIB))
    row = Checkpoint(KEY, "1", None, Plain("t", b"b"), {"file": 1})
    with pytest.raises(MessageTooLarge, match="the limit is"):
        run_blocking(store.put_checkpoint(row, {"file": blob}, head_channel=None, merge=True))
    with pytest.raises(MessageTooLarge, match="the limit is"):
        run_blocking(store.put_writes(KEY, "1", [Write("task", 0, "file", blob)]))
    assert run_blocking(store.state(KEY)) is None


def test_a_message_of_16_mib_and_thousands_at_once_come_back(store: SessionStore) -> None:
    large = message(1, content=os.urandom(8 * MIB).hex())
    run_blocking(store.append(KEY, [large]))
    assert run_blocking(store.record(KEY))[0].content == large.content
    many = [message(number) for number in range(2, 4_000)]
    assert run_blocking(store.append(KEY, many)).new == 3_998
    assert [m.id for m in run_blocking(store.record(KEY))[1:]] == [m.id for m in many]


NAMES = ["s\x01\n\x1b[2J", "half \ud83d", "\U0001f600" * 200, " ", "'; DROP TABLE sessions; --", "a/b#c:{d}|%7B", "*"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_odd_names_keep_sessions_apart(name: str, store: SessionStore) -> None:
    keys = [Key(name, name, ""), Key(name, name, name), Key(name), Key("other", name)]
    for number, key in enumerate(keys):
        run_blocking(store.append(key, [message(number)]))
    assert [[m.id for m in run_blocking(store.record(key))] for key in keys] == [[f"m{n}"] for n in range(4)]
    assert {state.key for state in run_blocking(store.sessions(name))} == {keys[0], keys[3]}
    assert run_blocking(store.delete(keys[0])) == 2
    assert {state.key for state in run_blocking(store.sessions())} == {keys[2], keys[3]}


@pytest.mark.parametrize(
    "parts",
    [("", "t", ""), ("s", "", ""), (5, "t", ""), ("s", b"t", ""), ("s", "t", None), ("a\x00", "t", "")]
    + [tuple("x" * (MAX_NAME_CHARACTERS + 1) if place == number else "x" for place in range(3)) for number in range(3)],
)
def test_invalid_names_are_refused(parts: tuple[Any, Any, Any]) -> None:
    with pytest.raises(InputError, match="name"):
        Key(*parts)


def test_a_name_with_a_line_break_begins_no_line_in_an_error() -> None:
    assert "\n" not in str(Key("s\nERROR all is lost", "t"))
    assert str(Key("s 漢", "t", "n")) == "t/s 漢#n"
