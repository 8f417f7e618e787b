"""The first step of the command line: answers Ctrl-C from the beginning, also while the rest is being loaded."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` asks for, with the exit code of `command.main`, or 130 for Ctrl-C."""
    try:
        # Loading takes longer than most commands: whoever interrupts it wants no traceback.
        from session_core.cli.command import main as run

        return run(argv)
    except KeyboardInterrupt:
        print("llm-sessions: interrupted", file=sys.stderr)
        return 130
