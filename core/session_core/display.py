"""Notebook display of a session: budget, turns, and key facts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from session_core import notebook_html
from session_core.budget import Budget
from session_core.errors import StoreError
from session_core.events import Notice
from session_core.notebook_html import Bar, escape
from session_core.outputs.pieces import counted
from session_core.plan import Digest, Fact
from session_core.policy import Policy
from session_core.ports import State, Store
from session_core.stats import SessionStats, describe
from session_core.turns import Key, Message, Role


async def session_html_or_error(store: Store, key: Key, policy: Policy) -> str:
    """The session called `key` as HTML, or why it cannot be read; reads its record once."""
    try:
        state = await store.state(key) or State(key)
        messages = await store.record(key, state.head)
        loaded = await store.load(key)
        told = await store.notices(key)
    except StoreError as exc:
        return notebook_html.page(f"<p>{escape(str(exc.about(key)))}</p>")
    return session_html(
        describe(state, messages, policy),
        messages=messages,
        digest=loaded.digest,
        budget=policy.budget,
        notice=told[-1] if told else None,
    )


def session_html(
    stats: SessionStats,
    *,
    messages: Sequence[Message],
    digest: Digest | None,
    budget: Budget,
    notice: Notice | None = None,
) -> str:
    """A session as HTML: figures, newest notice, budget gauge, timeline of turns, the digest that views stand on."""
    return notebook_html.page(
        _headline(stats),
        _notice_html(notice) if notice else "",
        notebook_html.gauge(stats.standing_tokens, budget),
        notebook_html.timeline(bars(messages, set(digest.covers) if digest else ()), digest=_digest_line(digest)),
        _digest_html(digest) if digest else f"<p>{_unfolded(stats, budget)}</p>",
    )


def _unfolded(stats: SessionStats, budget: Budget) -> str:
    if stats.pressure < budget.facts_at:
        return "Nothing is folded yet: views show every turn word for word."
    return "No digest is active yet (a new one is from the next turn on): each view is folded by rules."


def bars(messages: Sequence[Message], folded: Collection[int]) -> list[Bar]:
    """One bar per turn of `messages`; turns completely in `folded` are marked. Messages before the first user message
    form a turn of their own."""
    turns: list[list[Message]] = []
    for message in messages:
        if message.role is Role.USER or not turns:
            turns.append([])
        turns[-1].append(message)
    return [_bar(number, turn, folded) for number, turn in enumerate(turns, start=1)]


def _bar(number: int, turn: Sequence[Message], folded: Collection[int]) -> Bar:
    tokens = {role: sum(m.tokens for m in turn if m.role is role) for role in Role}
    return Bar(
        {role: count for role, count in tokens.items() if count},
        f"turn {number}",
        all(m.seq in folded for m in turn),
    )


def _headline(stats: SessionStats) -> str:
    texts = [
        f"{counted(stats.messages, 'message')} in {counted(stats.turns, 'turn')}",
        f"{stats.tokens:,} tokens on record",
        f"version {stats.version:,}",
    ]
    if stats.authors:
        texts.append(f"with {', '.join(stats.authors)}")
    return f"<div><b>{escape(str(stats.key))}</b>: {escape(', '.join(texts))}</div>"


def _notice_html(notice: Notice) -> str:
    return f"<p>Notice at message {notice.record_messages:,}: {escape(notice.text)}</p>"


def _digest_line(digest: Digest | None) -> str:
    if digest is None:
        return ""
    return (
        f"folded: {digest.covered_messages:,} messages of {digest.covered_tokens:,} tokens "
        f"are shown in views as a digest of {digest.tokens:,}"
    )


def _digest_html(digest: Digest) -> str:
    current = [fact for fact in digest.facts if fact.current]
    old = [fact for fact in digest.facts if not fact.current]
    facts = "".join(_fact_html(fact) for fact in (*current, *old))
    listed = f'<ul style="margin:2px 0">{facts}</ul>' if facts else "<p>It keeps no facts.</p>"
    summary = escape(digest.summary).replace("\n", "<br>")
    count = f"Facts kept: {len(current)}, superseded: {len(old)}"
    return (
        f"<details open><summary>{count}</summary>{listed}</details>"
        f"<details><summary>Digest {digest.number} ({escape(digest.made_by)})</summary>"
        f"<p>{summary}</p></details>"
    )


def _fact_html(fact: Fact) -> str:
    where = f"message {fact.seq}" + (f", {fact.author}" if fact.author else "")
    if not fact.current:
        where += f"; superseded by message {fact.superseded_by}"
    text = escape(fact.text) if fact.current else f"<s>{escape(fact.text)}</s>"
    return f'<li><b>{escape(fact.kind)}</b> {text} <span style="opacity:.65">({escape(where)})</span></li>'
