"""LangChain and LangGraph adapters of llm-sessions; each name is loaded when it is first asked for.

In the order in which one may read it:

- Chains: `history`, `runnable` and `runnable_turn` (`with_session`), and `appending`, which both store with.
- Graphs: `saver`.
- Within a run: `attached`, `middleware`, `in_run`, `output_mapping`, `question_quotes`, `recall`.
- Models and vectors: `chat_model`, `index`.

The packages hold what these are made of: `conversion` (messages), `graph_state` (what a graph stores), `checkpointing`
(the parts of the saver), `transfer` (import and export).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from session_core.errors import missing_extra

if TYPE_CHECKING:
    from langchain_session.attached import attach as attach
    from langchain_session.chat_model import ChatModelClassifier as ChatModelClassifier
    from langchain_session.chat_model import ChatModelExtractor as ChatModelExtractor
    from langchain_session.chat_model import ChatModelSummarizer as ChatModelSummarizer
    from langchain_session.history import SessionChatMessageHistory as SessionChatMessageHistory
    from langchain_session.index import EmbeddingsEmbedder as EmbeddingsEmbedder
    from langchain_session.index import VectorStoreIndex as VectorStoreIndex
    from langchain_session.middleware import SessionMiddleware as SessionMiddleware
    from langchain_session.recall import recall_tool as recall_tool
    from langchain_session.runnable import with_session as with_session
    from langchain_session.saver import SessionSaver as SessionSaver

_WHERE = {
    "SessionChatMessageHistory": ("history", "langchain"),
    "SessionSaver": ("saver", "langgraph"),
    "with_session": ("runnable", "langchain"),
    "ChatModelSummarizer": ("chat_model", "langchain"),
    "ChatModelClassifier": ("chat_model", "langchain"),
    "ChatModelExtractor": ("chat_model", "langchain"),
    "EmbeddingsEmbedder": ("index", "langchain"),
    "VectorStoreIndex": ("index", "langchain"),
    "SessionMiddleware": ("middleware", "langgraph"),
    "attach": ("attached", "langgraph"),
    "recall_tool": ("recall", "langgraph"),
}

__all__ = list(_WHERE)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])


def _loaded(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _WHERE[name]
    try:
        found = getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as exc:
        raise missing_extra(str(exc.name), extra) from exc
    globals()[name] = found
    return found


if not TYPE_CHECKING:
    # Otherwise type checkers would accept any name.
    __getattr__ = _loaded
