"""What must stay secret in tests of secrecy, and how everything that is said is listened to."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from session_core.errors import SessionError
from session_core.turns import Message, Role, ToolCall

SECRET = "xyzzyplugh"
BYTES = (SECRET.encode(), SECRET.encode().hex().encode())


@contextmanager
def overheard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever anybody logs or warns of in a test, at every level, must be silent on it."""
    names = ("", "psycopg", "psycopg.pool", "redis", "asyncio", "sqlite3", "opentelemetry")
    for name in names:
        caplog.set_level(logging.DEBUG, logger=name)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield
    silent([str(one.message) for one in warned])
    for record in caplog.records:
        silent([record.getMessage(), repr(record.args), repr(record.exc_info)])


def silent(said: object) -> None:
    text = repr(said).encode().lower()
    assert not any(word in text for word in BYTES), text[:2_000]


def chain(exc: BaseException | None) -> Iterator[BaseException]:
    """The error and all that a traceback of it shows."""
    while exc is not None:
        yield exc
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def refused(work: Callable[[], Any], kind: type[BaseException] = SessionError) -> BaseException:
    """The error that `work` raises, of which every part is silent."""
    with pytest.raises(kind) as caught:
        work()
    for one in chain(caught.value):
        silent([str(one), repr(one), one.args, vars(one)])
    silent("".join(traceback.format_exception(caught.value)).replace(__file__, ""))
    return caught.value


def secret(role: Role = Role.USER, **fields: Any) -> Message:
    call = ToolCall("c1", f"tool_{SECRET}", f'{{"q": "{SECRET}"}}')
    more = {"tool_calls": (call,)} if role is Role.ASSISTANT else {}
    made = Message(role, f"the word is {SECRET}", id="s1", author=f"author {SECRET}", name=SECRET, **more)
    return replace(made, **fields)
