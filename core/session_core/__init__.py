"""llm-sessions: the session layer for multi-turn LLM applications; each name is loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from session_core.budget import Budget as Budget
    from session_core.budget import Tier as Tier
    from session_core.errors import SessionError as SessionError
    from session_core.plan import View as View
    from session_core.policy import Policy as Policy
    from session_core.sessions import Session as Session
    from session_core.sessions import Sessions as Sessions
    from session_core.turns import Importance as Importance
    from session_core.turns import Media as Media
    from session_core.turns import Message as Message
    from session_core.turns import Role as Role
    from session_core.turns import ToolCall as ToolCall

# Loading all of them takes some tenths of a second, in which the command line already answers Ctrl-C.
_WHERE = {
    "Budget": "budget",
    "Importance": "turns",
    "Media": "turns",
    "Message": "turns",
    "Policy": "policy",
    "Role": "turns",
    "Session": "sessions",
    "SessionError": "errors",
    "Sessions": "sessions",
    "Tier": "budget",
    "ToolCall": "turns",
    "View": "plan",
}

__all__ = list(_WHERE)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])


def _loaded(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found


if not TYPE_CHECKING:
    # Otherwise type checkers would accept any name.
    __getattr__ = _loaded
