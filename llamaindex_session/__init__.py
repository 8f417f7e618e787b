"""LlamaIndex adapters of llm-sessions; each name is loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from session_core.errors import missing_extra

if TYPE_CHECKING:
    from llamaindex_session.chat_model import LLMSummarizer as LLMSummarizer
    from llamaindex_session.chat_store import SessionChatStore as SessionChatStore
    from llamaindex_session.memory import SessionMemoryBuffer as SessionMemoryBuffer
    from llamaindex_session.recall import recall_tool as recall_tool

_WHERE = {
    "SessionMemoryBuffer": "memory",
    "SessionChatStore": "chat_store",
    "recall_tool": "recall",
    "LLMSummarizer": "chat_model",
}

__all__ = list(_WHERE)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])


def _loaded(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    except ModuleNotFoundError as exc:
        raise missing_extra(str(exc.name), "llamaindex") from exc
    globals()[name] = found
    return found


if not TYPE_CHECKING:
    # Otherwise type checkers would accept any name.
    __getattr__ = _loaded
