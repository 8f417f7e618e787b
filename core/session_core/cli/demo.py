"""`llm-sessions demo`: a long conversation of an agent with real tools, with its costs and results."""

from __future__ import annotations

import argparse
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

from session_core.budget import Budget
from session_core.cli.chart import picture_or_why_not
from session_core.cli.checks import Kept, said_in, told
from session_core.cli.journal import Journal, Turn
from session_core.cli.report import curves, table
from session_core.cli.terminal import Progress, columns, size
from session_core.demo.mind import reply
from session_core.demo.played import Played
from session_core.demo.tools import Folder
from session_core.demo.user import PROMISES, RECALL, questions
from session_core.errors import ConfigError, MissingExtra, missing_extra
from session_core.language.words import one_line
from session_core.outputs.pieces import counted
from session_core.plan import View
from session_core.policy import Policy
from session_core.sessions import Session, Sessions
from session_core.turns import Message
from session_core.voices import run_blocking

SESSION = "demo"
FILES = ("demo.db", "without.db")
OURS = ("session_core", "langchain_session", "llamaindex_session")


def run(asked: argparse.Namespace) -> int:
    """Play the conversation, go on with it through two other doors, and show what became of it."""
    agent, engine = _part("langchain_session.demo.play"), _part("llamaindex_session.demo")
    if not asked.folder.is_dir():
        raise ConfigError(f"--folder {asked.folder} is not a folder; name one with files to look at")
    folder = Folder(asked.folder, without=asked.out)
    _emptied(asked.out)
    texts = questions(folder, asked.turns)
    budget = Budget(asked.window)
    policy = Policy(budget, overhead_tokens=agent.overhead_tokens(folder, Policy(budget)))
    file = asked.out / "demo.db"
    with Sessions(f"sqlite:///{file}", policy=policy) as sessions:
        stage = _Stage(sessions, file)
        doors: list[tuple[str, Iterator[Played], int]] = [
            ("LangGraph agent", agent.play(sessions, SESSION, folder, texts), len(texts)),
            ("LangChain chain", agent.ask_chain(sessions, SESSION, RECALL[:2]), 2),
            ("LlamaIndex chat engine", engine.ask_engine(sessions, SESSION, RECALL[2:]), 2),
            ("LangGraph agent again", agent.play(sessions, SESSION, folder, RECALL[:1]), 1),
        ]
        for name, turns, count in doors:
            stage.play(name, turns, count)
        whole = agent.whole_state(sessions, SESSION, folder)
        last, record = stage.session.view(), stage.session.record()
    stage.journal.without_bytes = [] if asked.no_baseline else _without_us(agent, asked.out, folder, texts)
    _show(stage, last, asked)
    return told([*_promises(stage, record, whole), *_facts(last)])


@dataclass(slots=True)
class _Stage:
    """Where the conversation is played: the session, its journal, and all turns of all doors."""

    sessions: Sessions
    file: Path
    journal: Journal = field(init=False)
    session: Session = field(init=False)
    played: list[Played] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = self.sessions.session(SESSION)
        self.journal = Journal(self.session.key, self.sessions.policy.budget)
        self.sessions.observe(self.journal)

    def play(self, name: str, turns: Iterator[Played], count: int) -> None:
        """Play all turns of one door; after each one its fold is awaited, as if the user read the answer."""
        with Progress(f"{name}, {counted(count, 'turn')}", count) as progress:
            began = time.perf_counter()
            for turn in turns:
                self.sessions.drain()
                self.played.append(turn)
                self._close(turn, time.perf_counter() - began)
                progress.turn(self.journal.told(self.journal.turns[-1]))
                began = time.perf_counter()

    def _close(self, turn: Played, seconds: float) -> None:
        state = run_blocking(self.sessions.store.state(self.session.key))
        report = self.session.view().report
        self.journal.close_turn(
            Turn(
                record_tokens=state.ledger.tokens if state else 0,
                view_tokens=max(sent.tokens for sent in turn.sent),
                clipped=max(sent.clipped for sent in turn.sent),
                folded=report.folded,
                dropped=report.dropped,
                seconds=seconds,
                store_bytes=database_bytes(self.file),
            )
        )


def database_bytes(file: Path) -> int:
    """The size of an SQLite database, with what is still in its journal."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        (pages,), (page,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        return int(pages) * int(page)


def _part(name: str) -> ModuleType:
    """A part of the demo that needs a framework. Raises: MissingExtra."""
    try:
        return import_module(name)
    except ModuleNotFoundError as exc:
        if str(exc.name).partition(".")[0] in OURS:
            raise
        raise missing_extra(str(exc.name), "demo") from exc


def _emptied(out: Path) -> None:
    """Make `out` and remove what an earlier run left there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            for suffix in ("", "-wal", "-shm"):
                (out / f"{name}{suffix}").unlink(missing_ok=True)
        (out / "demo.png").unlink(missing_ok=True)
    except OSError as exc:
        raise ConfigError(f"--out {out} cannot be used ({exc}); name a folder you may write to") from exc


def _without_us(agent: ModuleType, out: Path, folder: Folder, texts: Sequence[str]) -> list[int]:
    """Database sizes after each turn of the same agent, script and tools with LangGraph's own saver."""
    file = out / "without.db"
    sizes: list[int] = []
    try:
        with Progress(f"the same agent with LangGraph's SqliteSaver, {len(texts)} turns", len(texts)) as progress:
            for _ in agent.play_without(file, folder, texts):
                sizes.append(database_bytes(file))
                progress.turn(f"database {size(sizes[-1])}")
    except MissingExtra as exc:
        print(f"no comparison with SqliteSaver: {exc}")
    finally:
        for suffix in ("", "-wal", "-shm"):
            (out / f"without.db{suffix}").unlink(missing_ok=True)
    return sizes


def _show(stage: _Stage, last: View, asked: argparse.Namespace) -> None:
    journal, played = stage.journal, stage.played
    calls = sum(turn.tool_calls for turn in played)
    seconds = sum(turn.seconds for turn in journal.turns)
    print("\n".join(["", *table(journal), "", *curves(journal), ""]))
    if not journal.without_bytes:
        print("SqliteSaver: not measured\n")
    turns, called = counted(len(played), "turn"), counted(calls, "tool call")
    print(f"{turns} with {called} in {seconds:.1f} s, model and tools included")
    title = f"{turns}, {called}, a window of {asked.window:,} tokens"
    print(f"database: {stage.file} ({size(stage.file.stat().st_size)})")
    print(picture_or_why_not(journal, asked.out / "demo.png", title=title))
    print(f"look inside: llm-sessions show {SESSION} --view --window {asked.window} --url sqlite:///{stage.file}\n")
    rows = [(one.what, f"“{one.words}”", _where(last, one.words)) for one in PROMISES]
    print(
        "\n".join(
            ["what the user said at the beginning, in the last view:", *columns(("", "", ""), rows, left=2)[1:], ""]
        )
    )


def _where(view: View, words: str) -> str:
    """The first message of `view` that says `words`."""
    for number, message in enumerate(view.messages, start=1):
        text = one_line(message.content)
        at = text.find(words)
        if at >= 0:
            name = "digest" if message.origin == "digest" else f"message {number}, {message.role}"
            return f"{name}: …{text[max(0, at - 24) : at + len(words) + 8]}…"
    return "missing"


def _promises(stage: _Stage, record: Sequence[Message], whole: Sequence[Message]) -> list[Kept]:
    sent = [sent.tokens for turn in stage.played for sent in turn.sent]
    limit = stage.journal.budget.limit_tokens
    said = said_in([message for turn in stage.played for message in turn.messages])
    same = _same_answers(stage.played, record)
    return [
        Kept(f"none of {len(sent)} model calls was sent more than {limit:,} tokens", max(sent) <= limit),
        Kept(f"the record has every message unchanged ({len(said)} messages)", said_in(record) == said),
        Kept("the agent's get_state shows all of it", said_in(whole) == said),
        Kept(
            f"{same} of {len(stage.played)} answers are those of a model that reads everything",
            same == len(stage.played),
        ),
    ]


def _facts(last: View) -> list[Kept]:
    text = " ".join(one_line(message.content) for message in last.messages)
    return [Kept(f"{one.what} is in the last view", one.words in text) for one in PROMISES]


def _same_answers(played: Sequence[Played], record: Sequence[Message]) -> int:
    """How many answers are those that the same rules give with the whole record before their eyes."""
    same = end = 0
    for turn in played:
        end += len(turn.messages)
        same += reply(record[: end - 1]).text == turn.answer
    return same
