"""What tests of the command line look at: a database with two sessions of two tenants."""

from __future__ import annotations

from pathlib import Path

from session_core import Message, Policy, Role, Sessions, ToolCall

CALL = ToolCall("call-1", "search", '{"query":"ferry"}')
SAID = [
    Message(Role.SYSTEM, "You plan trips.", id="m0"),
    Message(Role.USER, "Find a ferry for two.\nWith a cabin.", id="m1", author="Ada"),
    Message(Role.ASSISTANT, "", id="m2", tool_calls=(CALL,)),
    Message(Role.TOOL, "line of a timetable\n" * 400, id="m3", tool_call_id="call-1", name="search"),
    Message(Role.ASSISTANT, "The 08:15 has room.", id="m4"),
]


def filled(folder: Path) -> str:
    """The URL of a database in `folder` with two sessions of two tenants."""
    where = f"sqlite:///{folder / 'chat.db'}"
    with Sessions(where, policy=Policy(folding="off"), clock=lambda: 1_700_000_000.0) as sessions:
        sessions.session("trip").append(SAID)
        sessions.session("other", tenant="acme").append(Message(Role.USER, "hello"))
    return where
