"""`llm-sessions replay`: appends a transcript turn by turn and takes a view before each answer."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from session_core.budget import Budget
from session_core.cli.chart import picture_or_why_not
from session_core.cli.checks import Kept, said_in, told
from session_core.cli.journal import Journal, Turn
from session_core.cli.report import curves, table
from session_core.cli.stores import folder
from session_core.cli.terminal import Progress, columns
from session_core.errors import ConfigError
from session_core.outputs.pieces import counted
from session_core.plan import View
from session_core.policy import Policy
from session_core.sessions import Session, Sessions
from session_core.transcripts import Transcript, read
from session_core.turns import Message, Role
from session_core.voices import run_blocking


def run(asked: argparse.Namespace) -> int:
    """Replay every conversation of a file; the table and the picture are of the longest one."""
    transcripts = read(asked.file)
    out = folder(asked.out) if asked.out is not None else None
    policy = Policy(Budget(asked.window), folding="inline")
    with Sessions(asked.url, policy=policy) as sessions:
        runs = [replay(sessions, transcript, asked.tenant) for transcript in transcripts]
    longest = max((run for run, _ in runs), key=lambda journal: journal.turns[-1].record_tokens)
    print()
    if len(runs) > 1:
        print("\n".join([*_all_of_them([journal for journal, _ in runs]), ""]))
    print("\n".join([f"session {longest.key}", *table(longest), "", *curves(longest), ""]))
    if out is not None:
        title = f"{longest.key}: {counted(len(longest.turns), 'turn')}"
        print(picture_or_why_not(longest, out / "replay.png", title=title))
    return told([kept for _, some in runs for kept in some])


def replay(sessions: Sessions, transcript: Transcript, tenant: str) -> tuple[Journal, list[Kept]]:
    """Append `transcript` message by message; its journal, and whether the promises were kept."""
    session = sessions.session(transcript.name, tenant=tenant)
    if run_blocking(sessions.store.state(session.key)) is not None:
        raise ConfigError(f"session {session.key} exists already; delete it first, or name another --tenant")
    journal = Journal(session.key, sessions.policy.budget)
    sessions.observe(journal)
    turns = _turns(transcript.messages)
    with Progress(f"replaying {transcript.name}", len(turns)) as progress:
        for turn in turns:
            _play(session, journal, turn)
            progress.turn(journal.told(journal.turns[-1]))
    return journal, _promises(session, journal, transcript)


def _play(session: Session, journal: Journal, turn: Sequence[Message]) -> None:
    """One turn: each message appended, a view taken before each answer and at the end."""
    began = time.perf_counter()
    views: list[View] = []
    for message in turn:
        if message.role is Role.ASSISTANT:
            views.append(session.view())
        session.append(message, lenient=True)
    last = views[-1] if views else session.view()
    seconds = time.perf_counter() - began
    state = run_blocking(session.sessions.store.state(session.key))
    journal.close_turn(
        Turn(
            record_tokens=state.ledger.tokens if state else 0,
            view_tokens=max([view.tokens for view in views], default=last.tokens),
            clipped=last.report.clipped,
            folded=last.report.folded,
            dropped=last.report.dropped,
            seconds=seconds,
        )
    )


def _promises(session: Session, journal: Journal, transcript: Transcript) -> list[Kept]:
    most, limit = journal.most_view_tokens, journal.budget.limit_tokens
    kept, said = said_in(session.record()), said_in(transcript.messages)
    name = f"{session.key}: "
    return [
        Kept(f"{name}no view is over its budget ({most:,} of {limit:,} tokens at most)", most <= limit),
        Kept(f"{name}the record has every message unchanged ({counted(len(said), 'message')})", kept == said),
    ]


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """`messages` by turn: each begins with a user message, or with the system messages before the first one."""
    turns: list[list[Message]] = []
    for message in messages:
        spoken = turns and any(one.role is not Role.SYSTEM for one in turns[-1])
        if not turns or (message.role is Role.USER and spoken):
            turns.append([])
        turns[-1].append(message)
    return turns


def _all_of_them(journals: Sequence[Journal]) -> list[str]:
    rows = [
        (
            str(journal.key),
            f"{len(journal.turns)}",
            f"{journal.turns[-1].record_tokens:,}",
            f"{journal.most_view_tokens:,}",
            f"{sum(turn.folds for turn in journal.turns)}",
            "",
        )
        for journal in journals
    ]
    return columns(("session", "turns", "record", "largest view", "digests", ""), rows)
