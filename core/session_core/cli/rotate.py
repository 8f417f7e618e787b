"""`llm-sessions rotate`: re-encrypts sessions with a new key."""

from __future__ import annotations

import argparse

from session_core.cli.opening import opened_to_change
from session_core.compress.pieces import counted
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.voices import run_blocking


def rotate(asked: argparse.Namespace) -> int:
    """Seal what an older key sealed with the first key in the environment; 1 when something could not be."""
    keyring = Keyring.from_env()
    with opened_to_change(asked) as sessions:
        done = run_blocking(EncryptedStore(sessions.store, keyring).rotate_all(asked.tenant))
    seen, values = counted(done.sessions, "session"), counted(done.values, "value")
    print(f"looked at {seen}; {values} re-encrypted with key {keyring.primary!r}")
    for why in done.left:
        print(f"not rotated: {why}")
    if not done.values and not done.left:
        print("no value is encrypted with an older key any more")
    return 1 if done.left else 0
