"""The console script `llm-sessions`."""

from session_core.cli.command import main

__all__ = ["main"]
