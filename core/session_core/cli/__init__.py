"""The console script `llm-sessions`."""

from session_core.cli.entry import main

__all__ = ["main"]
