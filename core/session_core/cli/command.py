"""Commands, options and exit codes of `llm-sessions`."""

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
QUEUE_VARIABLE = "LLM_SESSIONS_FOLD_QUEUE"

TRANSCRIPT = (
    "messages as JSON or JSONL, with role and content as OpenAI, Anthropic, LangChain or LlamaIndex write them; "
    "- reads standard input"
)
COUNTING = frozenset({"demo", "replay", "import"})
"""The commands that count tokens anew. The others tell what is stored, or by what they counted."""

CHANGING = frozenset({"import", "delete", "rotate"})
"""The commands of which a part may be done when the reader of their output goes away, as `head` does."""

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` asks for.

    Returns 0 for success, 1 if a promise is broken or a store has problems, 2 if the command cannot be done.
    """
    _say_what_the_terminal_can_show()
    asked = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            _tell_warnings_in_a_line(counts=asked.command in COUNTING)
            code: int = asked.run(asked)
        if sys.stdout is not None:
            # It is None where a script closed it.
            sys.stdout.flush()
    except SessionError as exc:
        print(f"llm-sessions: {' '.join(str(exc).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _hush()
        if asked.command in CHANGING:
            print(
                "llm-sessions: the reader of the output went away, and the command may not be complete: run it again",
                file=sys.stderr,
            )
        return 141
    except OSError as exc:
        # For example a full disk behind `>`, which is no error of the program.
        print(f"llm-sessions: {exc}; the command was not completed", file=sys.stderr)
        _hush()
        return 2
    return code


def _tell_warnings_in_a_line(*, counts: bool) -> None:
    """Show warnings without file, line number and source."""

    def tell(message: Warning | str, *_: object, **__: object) -> None:
        print(f"llm-sessions: {message}", file=sys.stderr)

    warnings.showwarning = tell
    if not counts:
        warnings.filterwarnings("ignore", "no token table")


def _hush() -> None:
    """The reader closed the pipe, or the device is full; prevent the interpreter from flushing into it again."""
    if sys.stdout is None:
        return
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
        description="Inspect and manage the sessions of multi-turn LLM applications, replay transcripts, run a demo.",
    )
    parser.add_argument("--version", action="version", version=f"llm-sessions {_version()}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_replay(commands)
    _add_looking(commands)
    _add_changing(commands)
    _add_worker(commands)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add_demo(commands: _Commands[argparse.ArgumentParser]) -> None:
    demo = _command(
        commands, "demo", "demo", "run", "run a long conversation of an agent with real tools; needs no API key"
    )
    demo.add_argument(
        "--folder", type=Path, default=Path(), help="the folder that the agent explores (default: the current one)"
    )
    demo.add_argument("--turns", type=_positive, default=60, help="number of turns with the agent (default: 60)")
    demo.add_argument(
        "--window", type=_positive, default=16_000, help="size of the context window in tokens (default: 16000)"
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("llm-sessions-demo"),
        help="folder for demo.db and demo.png, overwritten by each run (default: llm-sessions-demo)",
    )
    demo.add_argument("--no-baseline", action="store_true", help="skip the comparison run without llm-sessions")


def _add_replay(commands: _Commands[argparse.ArgumentParser]) -> None:
    replay = _command(
        commands, "replay", "replay", "run", "append a transcript turn by turn and show the size of its views"
    )
    replay.add_argument("file", type=_file, metavar="FILE", help=TRANSCRIPT)
    replay.add_argument(
        "--window", type=_positive, default=128_000, help="size of the context window in tokens (default: 128000)"
    )
    replay.add_argument("--out", type=Path, help="folder for the chart replay.png (default: no chart)")
    replay.add_argument("--url", default="memory://", help="the store to replay into (default: memory://)")
    replay.add_argument("--tenant", type=_name, default="default", help="the tenant (default: default)")


def _add_looking(commands: _Commands[argparse.ArgumentParser]) -> None:
    found = _command(
        commands, "list", "show", "list_sessions", "list the sessions of a store, most recently used first"
    )
    _add_url(found)
    found.add_argument("--tenant", type=_name, help="only this tenant's sessions")
    show = _command(commands, "show", "show", "show", "show a session: its figures, and its record or its view")
    _add_session(show)
    show.add_argument("--view", action="store_true", help="show what a model would be sent now, instead of the record")
    show.add_argument(
        "--explain", action="store_true", help="show how each part of the record appears in the view, and why"
    )
    show.add_argument("--query", help="show the view for this question, with quotes from old messages")
    _add_window(show)
    export = _command(
        commands,
        "export",
        "import_export",
        "export",
        "print a session's record as JSONL, one chat message per line, or all sessions, one per line",
    )
    export.add_argument("session", metavar="SESSION", nargs="?", help="the session's id; without it, all sessions")
    export.add_argument("--tenant", type=_name, help="the tenant (default: default; without SESSION: all tenants)")
    _add_url(export)
    doctor = _command(commands, "doctor", "show", "doctor", "examine a store and report problems with their fixes")
    _add_url(doctor)
    doctor.add_argument("--tenant", type=_name, help="only this tenant's sessions")
    _add_window(doctor)
    doctor.add_argument(
        "--queue",
        default=os.environ.get(QUEUE_VARIABLE),
        metavar="URL",
        help=f"also the queue of folds, if workers fold (default: ${QUEUE_VARIABLE})",
    )


def _add_changing(commands: _Commands[argparse.ArgumentParser]) -> None:
    moved = _command(
        commands, "import", "import_export", "import_file", "import the conversations of a file, each message once"
    )
    moved.add_argument("file", type=_file, metavar="FILE", help=f"output of export, or {TRANSCRIPT}")
    moved.add_argument("--session", help="the session's id (default: the name in the file, or else the file name)")
    moved.add_argument(
        "--tenant", type=_name, help="the tenant to import into (default: the tenant in the file, or else default)"
    )
    _add_sides(moved)
    delete = _command(commands, "delete", "show", "delete", "delete a session, or all idle sessions, permanently")
    delete.add_argument("session", metavar="SESSION", nargs="?", help="the session's id")
    delete.add_argument(
        "--older-than",
        type=_days,
        metavar="DAYS",
        help="instead of SESSION: delete every session without a write for so many days",
    )
    delete.add_argument("--tenant", type=_name, help="the tenant (default: default; with --older-than: all tenants)")
    _add_sides(delete)
    delete.add_argument("--yes", action="store_true", help="confirm the deletion")
    delete.add_argument("--dry-run", action="store_true", help="show what would be deleted, and delete nothing")
    rotate = _command(
        commands, "rotate", "rotate", "rotate", "re-encrypt the sessions of an encrypting store with the first key"
    )
    _add_sides(rotate)
    rotate.add_argument("--tenant", type=_name, help="only this tenant's sessions")
    rotate.add_argument("--names", action="store_true", help="name each session that could not be sealed anew")


def _add_worker(commands: _Commands[argparse.ArgumentParser]) -> None:
    worker = _command(
        commands, "worker", "worker", "worker", "fold what applications request over a queue on Redis (fold_queue=)"
    )
    worker.add_argument(
        "--app",
        metavar="MODULE:NAME",
        help="the application's Sessions, or what has or returns it; without it --url, --queue and --window",
    )
    _add_sides(worker)
    worker.add_argument(
        "--queue", metavar="URL", help="the queue (default: that of --app, or $LLM_SESSIONS_FOLD_QUEUE)"
    )
    worker.add_argument(
        "--window", type=_positive, help="size of the application's context window in tokens, without --app"
    )
    worker.add_argument(
        "--concurrency", type=_positive, default=4, help="how many sessions to fold at a time (default: 4)"
    )
    worker.add_argument(
        "--redeliver",
        type=_positive,
        default=30,
        metavar="SECONDS",
        help="after how much silence of a worker others take over what it had begun (default: 30)",
    )


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, module: str, function: str, promise: str
) -> argparse.ArgumentParser:
    """A command whose module is imported when it is used, so that the others start fast."""

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
    """Options for the store of a command that changes it, including the cache in front of it."""
    _add_url(parser)
    parser.add_argument(
        "--hot",
        default=os.environ.get(HOT_VARIABLE),
        metavar="URL",
        help=f"the cache of a hybrid store, to be invalidated (default: ${HOT_VARIABLE})",
    )


def _add_session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="the session's id")
    parser.add_argument("--tenant", type=_name, help="the tenant (default: default)")
    _add_url(parser)


def _add_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--window",
        type=_positive,
        default=128_000,
        help="size of the context window in tokens, for views (default: 128000)",
    )


def _name(text: str) -> str:
    """A tenant, never an empty one: a variable of a script that is not set would mean other sessions, or all."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty (from a variable that is not set?)")
    return text


def _file(text: str) -> Path:
    """A file to read; - is what another command writes."""
    return Path("/dev/stdin" if text == "-" else text)


def _positive(text: str) -> int:
    """A whole number, also as our reports (8,000) and Python (8_000) write it."""
    digits = text.replace(",", "").replace("_", "")
    number = int(digits) if digits.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return number


def _days(text: str) -> float:
    """A number of days, with or without a d after it."""
    try:
        number = float(text.removesuffix("d"))
    except ValueError:
        number = -1.0
    if not 0 <= number < inf:
        raise argparse.ArgumentTypeError("must be a number of days")
    return number


def _version() -> str:
    try:
        return version("llm-sessions")
    except PackageNotFoundError:
        return "(not installed)"
