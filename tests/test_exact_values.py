"""Any value that a message carries beside its words comes back in its type, and reading one runs no code of it."""

from __future__ import annotations

import base64
import io
import os
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PureWindowsPath
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, PrivateAttr

from session_core.errors import InputError
from session_core.serial.exact import Exact
from session_core.serial.objects import object_kinds
from session_core.serial.references import Part, ReferenceTable, restore
from session_core.turns import Media, Message, Role, ToolCall

exact = Exact(object_kinds())


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: int


@dataclass(frozen=True)
class Place:
    name: str
    where: Point


@dataclass(slots=True)
class Slotted:
    value: int


class Order(BaseModel):
    number: int
    tags: set[str] = Field(default_factory=set)
    note: str | None = None
    _seen: int = PrivateAttr(default=0)


VALUES = [
    None,
    True,
    -(2**63),
    2**64 - 1,
    2**200,
    -(2**64),
    0.1,
    float("inf"),
    -0.0,
    "\ud800 half",
    b"",
    bytearray(b"ab"),
    (),
    (1, (2, [3])),
    {1, 2},
    frozenset({"a"}),
    {1: "int", None: "none", (1, 2): "tuple", 1.5: "float", b"k": "bytes", "s": "str"},
    {"\udfff": 1},
    OrderedDict(b=1, a=2),
    deque([1, 2], maxlen=3),
    range(1, 9, 2),
    1 + 2j,
    Decimal("1.10"),
    UUID(int=5),
    date(2026, 2, 28),
    time(1, 2, 3, tzinfo=UTC),
    timedelta(days=1, microseconds=5),
    timezone(timedelta(hours=2), "here"),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2026, 1, 1),
    ZoneInfo("UTC"),
    Path("/tmp/a b"),
    PureWindowsPath("C:\\x"),
    Colour.RED,
    Level.HIGH,
    {Level.HIGH: Colour.RED},
    Point(1, 2),
    Place("home", Point(3, 4)),
    Slotted(5),
    Order(number=3, tags={"a"}),
    {"deep": [{"er": (Order(number=1), {"x"})}]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_in_its_type(value: object) -> None:
    back = exact.decode(exact.encode(value))
    assert back == value
    assert type(back) is type(value)
    assert exact.same(back, value)


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(st.characters()) | st.integers() | st.booleans(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain_values)
def test_any_nest_of_values_comes_back(value: object) -> None:
    back = exact.decode(exact.encode(value))
    assert back == value
    assert repr(back) == repr(value)


def test_a_model_keeps_which_fields_were_set_and_its_private_state() -> None:
    order = Order(number=1)
    order._seen = 4
    back = exact.decode(exact.encode(order))
    assert isinstance(back, Order)
    assert (back.model_fields_set, back._seen) == ({"number"}, 4)


def test_an_open_file_comes_back_as_its_bytes_and_is_left_where_it_was() -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    back = exact.decode(exact.encode(file))
    assert isinstance(back, io.BytesIO)
    assert (back.getvalue(), back.tell(), file.tell()) == (b"0123456789", 4, 4)


def test_a_class_that_is_gone_gives_its_fields() -> None:
    class Local(BaseModel):
        a: int

    assert exact.decode(exact.encode(Local(a=1))) == {"a": 1}


def test_a_subclass_of_a_plain_type_comes_back_equal() -> None:
    assert exact.decode(exact.encode(Counter("aab"))) == Counter("aab")


def test_reading_a_stored_object_calls_no_code_of_it() -> None:
    damaged = exact.encode(Colour.RED).replace(b"test_exact_values:Colour", b"shutil:get_terminal_size")
    assert exact.decode(damaged) == "red"


@pytest.mark.parametrize("value", [object(), lambda: 1, io.StringIO, Ellipsis])
def test_what_cannot_come_back_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="cannot be stored and restored exactly"):
        exact.encode({"value": [value]})


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InputError, match="contain itself"):
        exact.encode(loop)


def test_what_the_message_holds_is_written_as_a_reference() -> None:
    picture = base64.b64encode(os.urandom(3_000)).decode()
    message = Message(
        Role.ASSISTANT,
        "a long enough text, and more of it",
        id="message-1",
        tool_calls=(ToolCall("call-1", "find", '{"a":[1,2.0]}'),),
        media=(Media("image", picture),),
    )
    table = ReferenceTable(message, texts=[(0, 18)], parsed=[True])
    value = {
        "text": "a long enough text",
        "whole": message.content,
        "picture": [picture, picture.encode(), base64.b64decode(picture)],
        "raw": '{"a":[1,2.0]}',
        "args": {"a": [1, 2.0]},
        "not quite": {"a": [1.0, 2]},
        "ids": ["message-1", "call-1", "find"],
    }
    data = exact.encode(value, table)
    assert len(data) < 180
    assert exact.same(exact.decode(data, lambda held: restore(message, held)), value)


def test_references_keep_their_numbers() -> None:
    assert [part.value for part in Part] == list(range(12))
