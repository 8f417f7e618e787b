"""`llm-sessions rotate`: re-encrypts sessions with a new key."""

from __future__ import annotations

import argparse
from collections import Counter
from contextlib import ExitStack

from session_core.cli.stores import opened_to_change
from session_core.cli.terminal import Progress
from session_core.outputs.pieces import counted
from session_core.stores.encrypted import EncryptedStore, Rotated
from session_core.stores.keyring import Keyring
from session_core.voices import run_blocking

EVERY = 500
"""Without a terminal, one line of progress per this many sessions."""
MOST_REASONS = 5
"""The most reasons to print, those of most sessions first; each session may have its own."""


def rotate(asked: argparse.Namespace) -> int:
    """Re-encrypt with the first key in the environment; returns 1 if a session could not be rotated."""
    keyring = Keyring.from_env()
    with opened_to_change(asked) as sessions, ExitStack() as shown:
        bars: list[Progress] = []

        def looked_at(_: int, total: int) -> None:
            if not bars:
                bars.append(shown.enter_context(Progress("rotating", total, one="session", every=EVERY)))
            bars[0].turn("")

        ring = EncryptedStore(sessions.store, keyring)
        done = run_blocking(ring.rotate_all(asked.tenant, looked_at=looked_at))
    seen, values = counted(done.sessions, "session"), counted(done.values, "value")
    print(f"looked at {seen}; {values} re-encrypted with key {keyring.primary!r}")
    _tell_left(done, names=asked.names)
    if not done.values and not done.left:
        print("no value is encrypted with an older key any more")
    return 1 if done.left else 0


def _tell_left(done: Rotated, *, names: bool) -> None:
    """Print why sessions were not rotated: counts, since there may be thousands and ids may be personal, or `names`."""
    if names:
        for key, why in done.left.items():
            print(f"not rotated: session {key}: {why}")
        return
    reasons = Counter(done.left.values()).most_common()
    for why, count in reasons[:MOST_REASONS]:
        print(f"not rotated: {counted(count, 'session')}: {why}")
    if len(reasons) > MOST_REASONS:
        rest = sum(count for _, count in reasons[MOST_REASONS:])
        print(f"not rotated: {counted(rest, 'session')} more, for other reasons")
    if reasons:
        print("use --names to list them")
