"""`llm-sessions list`, `show`, `doctor` and `delete`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from session_core.cli.stores import DEFAULT_TENANT, found, none_in, opened, opened_to_change, opened_to_read
from session_core.cli.terminal import columns, visible
from session_core.errors import ConfigError, StoreUnreadable
from session_core.importing import NOTES
from session_core.language.words import one_line
from session_core.outputs.pieces import counted
from session_core.plan import View
from session_core.ports import State
from session_core.sessions import Session, Sessions
from session_core.stats import SessionStats, standing_tokens
from session_core.stores.open import open_queue
from session_core.stores.retention import require_purging
from session_core.turns import Message
from session_core.voices import run_blocking

FIRST_CHARACTERS = 72
LAST_NOTICES = 3
"""So much of a message stands in a list of messages, and so many notices before it."""
DAY_S = 86_400.0


def list_sessions(asked: argparse.Namespace) -> int:
    """Print a line for each session."""
    with opened(asked.url) as sessions:
        states = sessions.list(asked.tenant)
    if not states:
        print(none_in(asked))
        return 0
    headers = ("session", "tenant", "messages", "tokens", "digests", "unfolded", "last message")
    rows = [
        (
            _name(state.key.session_id),
            _name(state.key.tenant),
            f"{len(state.head):,}",
            f"{state.ledger.tokens:,}",
            f"{state.ready.number}",
            _standing(state),
            _when(state.ledger.last_time_s),
        )
        for state in states
    ]
    print("\n".join(columns(headers, rows, left=2)))
    return 0


def show(asked: argparse.Namespace) -> int:
    """Print a session's figures, and its record, its view or its plan."""
    with opened_to_read(asked, asked.window) as sessions:
        session = found(sessions, asked)
        print(visible("\n".join(_figures(session.stats(), session))))
        if asked.view or asked.explain or asked.query:
            view = session.view(asked.query)
            lines = _explained(view) if asked.explain else _read(view)
        else:
            lines = iter(_listed(session.record()))
        print(visible("\n".join(lines)))
    return 0


def delete(asked: argparse.Namespace) -> int:
    """Remove a session, or all that are idle, when it is really meant; or show what that would remove."""
    if (asked.session is None) == (asked.older_than is None):
        raise ConfigError("pass either a session or --older-than DAYS")
    with opened(asked.url) if asked.dry_run else opened_to_change(asked) as sessions:
        if asked.session is None:
            return _purge(sessions, asked)
        session = _to_delete(sessions, asked)
        held = _held(sessions, session)
        if asked.dry_run:
            print(f"would delete session {session.key}: {held}")
            return 0
        if not asked.yes:
            raise ConfigError(
                f"session {session.key}: {held}, digests and checkpoints would be deleted; add --yes to confirm"
            )
        session.delete()
        print(f"deleted session {session.key}: {held}")
    return 0


def _held(sessions: Sessions, session: Session) -> str:
    """How many messages the session has, those of subgraphs too; the notes of its import are not counted."""
    try:
        parts = run_blocking(sessions.store.holdings(session.key))
    except StoreUnreadable:
        return "unreadable messages"
    said = (part.state.ledger.messages for part in parts if part.state.key.namespace != NOTES)
    return counted(sum(said), "message")


def _to_delete(sessions: Sessions, asked: argparse.Namespace) -> Session:
    """The named session. One that cannot be read any more is found as well once its deletion is confirmed."""
    try:
        return found(sessions, asked)
    except StoreUnreadable:
        if not asked.yes:
            raise
        return sessions.session(asked.session, tenant=asked.tenant or DEFAULT_TENANT)


def _purge(sessions: Sessions, asked: argparse.Namespace) -> int:
    age_s = asked.older_than * DAY_S
    whose = f" of tenant {asked.tenant}" if asked.tenant is not None else ""
    which = f"{whose} without a write for {asked.older_than:g} days"
    if asked.yes and not asked.dry_run:
        print(f"deleted {counted(len(sessions.purge(age_s, tenant=asked.tenant)), 'session')}{which}")
        return 0
    idle = run_blocking(require_purging(sessions.store).idle(age_s, tenant=asked.tenant))
    if idle and not asked.dry_run:
        raise ConfigError(
            f"{counted(len(idle), 'session')}{which} would be deleted permanently; add --yes to confirm, or --dry-run "
            "to list them"
        )
    for key in sorted(idle, key=lambda key: (key.tenant, key.session_id)):
        print(f"would delete session {key}")
    print(f"would delete {counted(len(idle), 'session')}{which}")
    return 0


def doctor(asked: argparse.Namespace) -> int:
    """Print what an examination of the store found; 1 when there is something to mend."""
    from session_core.doctor import examine, lines

    with opened(asked.url, asked.window) as sessions:
        findings = run_blocking(examine(sessions.store, sessions.policy, tenant=asked.tenant))
    print("\n".join(lines(findings)))
    # After what is known by now: a queue that is down is an error.
    served = _examine_queue(asked.queue) if asked.queue else True
    return 0 if findings.healthy and served else 1


def _examine_queue(url: str) -> bool:
    """Prints the state of the queue of folds; returns whether there are no problems."""
    from session_core.doctor_queue import queue_lines

    queue = open_queue(url)
    try:
        told, served = queue_lines(queue.place, run_blocking(queue.policies()))
    finally:
        run_blocking(queue.close())
    print("\n".join(told))
    return served


def _name(name: str) -> str:
    """A name as in errors (`Key`): quoted where it has line breaks or orders for a terminal."""
    return name if name.isprintable() else ascii(name)


def _standing(state: State) -> str:
    """Tokens of the active digest and all messages after it; unknown without reading where branches were left."""
    tokens = standing_tokens(state)
    return "?" if tokens is None else f"{tokens:,}"


def _figures(stats: SessionStats, session: Session) -> Iterator[str]:
    share, spread, standing = stats.pressure, stats.turn_tokens, stats.standing_tokens
    yield f"session {stats.key}"
    yield f"  record    {counted(stats.messages, 'message')} in {counted(stats.turns, 'turn')}, {stats.tokens:,} tokens"
    yield f"  per turn  {spread.p50:,} tokens (median), {spread.p90:,} (90 %), {spread.p99:,} (99 %)"
    yield f"  pressure  {standing:,} of {stats.limit_tokens:,} tokens ({share:.0%}), tier {stats.tier}"
    yield f"  digest    {stats.digests} written, {stats.folded_messages:,} messages covered by the active one"
    if stats.authors:
        yield f"  authors   {', '.join(map(one_line, stats.authors))}"
    yield f"  from      {_when(stats.first_time_s)} to {_when(stats.last_time_s)}"
    notices = session.notices()
    if len(notices) > LAST_NOTICES:
        yield f"  notices   {len(notices)}, the last {LAST_NOTICES} of them:"
    for notice in notices[-LAST_NOTICES:]:
        yield f"  notice    {one_line(notice.text)}"
    yield ""


def _listed(messages: Sequence[Message]) -> list[str]:
    rows = [
        (
            f"{m.seq}",
            m.role.value,
            f"{m.tokens:,}",
            f"{m.clip_tokens:,}" if m.clip is not None else "",
            _first(m),
        )
        for m in messages
    ]
    return columns(("seq", "role", "tokens", "clip", "message"), rows, left=0)


def _read(view: View) -> Iterator[str]:
    report = view.report
    yield (
        f"view: {view.tokens:,} of {report.limit_tokens:,} tokens, {counted(len(view.messages), 'message')}; "
        f"{report.clipped} clipped, {report.folded} folded, {report.dropped} dropped, "
        f"counted by {report.counter}"
    )
    for message in view.messages:
        where = f"{message.seq}" if message.origin == "record" else message.origin
        shown = "" if message.rendition == "whole" else f", {message.rendition}"
        yield f"\n--- {message.role.value} ({where}{shown}, {message.tokens:,} tokens)"
        yield from ([message.content] if message.content else [])
        yield from (f"calls {call.name} {call.arguments}" for call in message.tool_calls)


def _explained(view: View) -> Iterator[str]:
    yield f"view: {view.tokens:,} of {view.report.limit_tokens:,} tokens, tier {view.tier}"
    yield view.explain()


def _first(message: Message) -> str:
    text = one_line(message.content) or ", ".join(f"{call.name}({call.arguments})" for call in message.tool_calls)
    text = text or ", ".join(media.kind for media in message.media)
    return text if len(text) <= FIRST_CHARACTERS else f"{text[: FIRST_CHARACTERS - 1]}…"


def _when(time_s: float | None) -> str:
    if time_s is None:
        return "-"
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        # Probably milliseconds, from the caller's clock.
        return f"{time_s:g} s"
