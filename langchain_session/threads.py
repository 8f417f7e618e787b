"""What the configs of a thread carry from a read to the writes that follow it."""

from __future__ import annotations

FORK = "__llm_sessions_fork"
"""In a config we made for a checkpoint that was asked for by its id: what follows replaces the head."""
BASE = "__llm_sessions_base"
"""In a config we made: the messages' version, the part of the record they were, and what of it a view hid."""
RUNTIME = "__pregel_runtime"
"""In the config of a `get_tuple` that LangGraph makes for a run, and of no other."""
