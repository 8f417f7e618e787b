"""`llm-sessions`: what can be asked for on the command line, and how it ends."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path

from session_core.errors import SessionError

DEFAULT_URL = "sqlite:///llm-sessions.db"
URL_VARIABLE = "LLM_SESSIONS_URL"
HOT_VARIABLE = "LLM_SESSIONS_HOT_URL"

COUNTING = frozenset({"demo", "replay", "import"})
"""The commands that count tokens anew. The others tell what is stored, or by what they counted."""

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` asks for.

    0 when all is well, 1 when a promise is broken or a store needs mending, 2 when it cannot be done.
    """
    _say_what_the_terminal_can_show()
    asked = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            _tell_warnings_in_a_line(counts=asked.command in COUNTING)
            code: int = asked.run(asked)
        sys.stdout.flush()
    except SessionError as exc:
        print(f"llm-sessions: {' '.join(str(exc).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _hush()
        return 141
    except OSError as exc:
        # A disk that is full behind `>`, say: what the system refuses is no fault of the program.
        print(f"llm-sessions: {exc}; what was asked for is not done, or in part only", file=sys.stderr)
        _hush()
        return 2
    except KeyboardInterrupt:
        print("llm-sessions: stopped", file=sys.stderr)
        return 130
    return code


def _tell_warnings_in_a_line(*, counts: bool) -> None:
    """Warnings are for people here, so they come without a file, its line and the code in it."""

    def tell(message: Warning | str, *_: object, **__: object) -> None:
        print(f"llm-sessions: {message}", file=sys.stderr)

    warnings.showwarning = tell
    if not counts:
        warnings.filterwarnings("ignore", "no token table")


def _hush() -> None:
    """Whoever reads the output has seen enough, or takes no more; the interpreter must not flush into it again."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say_what_the_terminal_can_show() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError, io.UnsupportedOperation):
                stream.reconfigure(errors="replace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="llm-sessions",
        description="Sessions of multi-turn LLM applications: look at them, replay transcripts, see a demo.",
    )
    parser.add_argument("--version", action="version", version=f"llm-sessions {_version()}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_replay(commands)
    _add_looking(commands)
    _add_changing(commands)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add_demo(commands: _Commands[argparse.ArgumentParser]) -> None:
    demo = _command(
        commands, "demo", "demo", "run", "play a long conversation of an agent with real tools; needs no key"
    )
    demo.add_argument("--folder", type=Path, default=Path(), help="what the agent looks at (default: here)")
    demo.add_argument("--turns", type=_positive, default=60, help="how long the agent's part is (default: 60)")
    demo.add_argument("--window", type=_positive, default=16_000, help="tokens of the window (default: 16000)")
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("llm-sessions-demo"),
        help="folder for demo.db and demo.png, made anew by each run (default: llm-sessions-demo)",
    )
    demo.add_argument("--no-baseline", action="store_true", help="do not run the agent without llm-sessions too")


def _add_replay(commands: _Commands[argparse.ArgumentParser]) -> None:
    replay = _command(
        commands, "replay", "replay", "run", "append a transcript turn by turn and show what the views were"
    )
    replay.add_argument("file", type=Path, metavar="FILE", help="a JSON or JSONL transcript")
    replay.add_argument("--window", type=_positive, default=128_000, help="tokens of the window (default: 128000)")
    replay.add_argument("--out", type=Path, help="folder for the picture replay.png; none without it")
    replay.add_argument("--url", default="memory://", help="where to keep what is replayed (default: memory://)")
    replay.add_argument("--tenant", default="default", help="whose it is (default: default)")


def _add_looking(commands: _Commands[argparse.ArgumentParser]) -> None:
    found = _command(commands, "list", "show", "list_sessions", "the sessions of a store, newest activity first")
    _add_url(found)
    found.add_argument("--tenant", help="only this tenant's sessions")
    show = _command(commands, "show", "show", "show", "one session: its figures and its record, or its view")
    _add_session(show)
    show.add_argument("--view", action="store_true", help="what a model would be sent now, instead of the record")
    show.add_argument("--explain", action="store_true", help="why each part of the record stands as it does")
    show.add_argument("--query", help="the view with old messages that bear on this")
    _add_window(show)
    export = _command(
        commands,
        "export",
        "moving",
        "export",
        "a session's record as JSONL, a chat message a line; or all sessions, each a line",
    )
    export.add_argument("session", metavar="SESSION", nargs="?", help="the session's id; without it, all sessions")
    export.add_argument("--tenant", help="whose (default: default; without SESSION: everybody's)")
    _add_url(export)
    doctor = _command(commands, "doctor", "show", "doctor", "examine a store and say what needs mending")
    _add_url(doctor)
    doctor.add_argument("--tenant", help="only this tenant's sessions")
    _add_window(doctor)


def _add_changing(commands: _Commands[argparse.ArgumentParser]) -> None:
    moved = _command(
        commands, "import", "moving", "move_file_in", "store the conversations of a file, each message once"
    )
    moved.add_argument("file", type=Path, metavar="FILE", help="what export wrote, or another JSON or JSONL transcript")
    moved.add_argument("--session", help="the session's id (default: the name in the file, or else the file's)")
    moved.add_argument("--tenant", help="whose they become (default: the tenant in the file, or else default)")
    _add_sides(moved)
    delete = _command(
        commands, "delete", "show", "delete", "remove a session, or all that are idle, everywhere, for good"
    )
    delete.add_argument("session", metavar="SESSION", nargs="?", help="the session's id")
    delete.add_argument(
        "--older-than", type=_days, metavar="DAYS", help="instead: every session that nobody wrote to for so long"
    )
    delete.add_argument("--tenant", help="whose (default: default; with --older-than: everybody's)")
    _add_sides(delete)
    delete.add_argument("--yes", action="store_true", help="really do it")
    rotate = _command(
        commands, "rotate", "rotate", "rotate", "seal the sessions of an encrypting store anew with the first key"
    )
    _add_sides(rotate)
    rotate.add_argument("--tenant", help="only this tenant's sessions")


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, module: str, function: str, promise: str
) -> argparse.ArgumentParser:
    """A command whose module is imported when it is asked for, so that the others start fast."""

    def run(asked: argparse.Namespace) -> int:
        code: int = getattr(import_module(f"session_core.cli.{module}"), function)(asked)
        return code

    parser = commands.add_parser(name, help=promise, description=promise)
    parser.set_defaults(run=run, command=name)
    return parser


def _add_url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        default=os.environ.get(URL_VARIABLE) or DEFAULT_URL,
        help=f"the store (default: ${URL_VARIABLE}, or else {DEFAULT_URL})",
    )


def _add_sides(parser: argparse.ArgumentParser) -> None:
    """The store of a command that changes it, and what would go on showing what was there."""
    _add_url(parser)
    parser.add_argument(
        "--hot",
        default=os.environ.get(HOT_VARIABLE),
        metavar="URL",
        help=f"the cache before the store, where there is one, which has to hear of it (default: ${HOT_VARIABLE})",
    )


def _add_session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="the session's id")
    parser.add_argument("--tenant", default="default", help="whose (default: default)")
    _add_url(parser)


def _add_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--window",
        type=_positive,
        default=128_000,
        help="tokens of the window its views are for (default: 128000)",
    )


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("pass 1 or more")
    return number


def _days(text: str) -> float:
    """Days, as a number with or without a d behind it."""
    try:
        number = float(text.removesuffix("d"))
    except ValueError:
        number = -1.0
    if not 0 <= number < inf:
        raise argparse.ArgumentTypeError("pass a number of days")
    return number


def _version() -> str:
    try:
        return version("llm-sessions")
    except PackageNotFoundError:
        return "(not installed)"
