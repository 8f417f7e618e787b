"""Opens the store of a command: to inspect it, to read encrypted sessions, or to change it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from session_core.budget import Budget
from session_core.errors import ConfigError, NotFound, StoreLost, StoreUnreadable
from session_core.policy import Policy
from session_core.ports import State
from session_core.ranges import Ranges
from session_core.sealed import is_sealed
from session_core.sessions import Session, Sessions
from session_core.stores.from_arguments import open_from_arguments as opened_store
from session_core.stores.hybrid import HybridStore
from session_core.stores.urls import file_in, shown_url, split_url
from session_core.turns import Key
from session_core.voices import run_blocking
from session_core.warmup import NOBODY

if TYPE_CHECKING:
    from session_core.stores.keyring import Keyring

KEYS_VARIABLE = "LLM_SESSIONS_KEYS"
DEFAULT_TENANT = "default"


def opened(url: str, window_tokens: int = 128_000) -> Sessions:
    """The sessions at `url` for inspection: no absence is noted in them, sealed ones stay sealed. Raises: NotFound."""
    _require_there(url)
    return Sessions(url, policy=_looking(window_tokens))


@contextmanager
def opened_to_read(asked: argparse.Namespace, window_tokens: int = 128_000) -> Iterator[Sessions]:
    """The sessions at `asked.url`; sealed ones are decrypted with the keys in the environment. Raises: NotFound;
    ConfigError for sealed sessions without keys."""
    with opened(asked.url, window_tokens) as plain:
        if not _sealed(plain, asked.tenant, asked.session):
            yield plain
            return
    with Sessions(asked.url, keyring=_keyring(asked.url), policy=_looking(window_tokens)) as sessions:
        yield sessions


def opened_to_change(asked: argparse.Namespace) -> Sessions:
    """The sessions at `asked.url`, behind the cache `asked.hot` if one is named; sealed ones stay sealed. Raises:
    NotFound; StoreLost if that cache is unavailable, before any change that it would hide."""
    _require_there(asked.url)
    return _behind_hot(asked, None, _looking())


def opened_to_add(asked: argparse.Namespace, tenants: Iterable[str]) -> Sessions:
    """The sessions at `asked.url`, created if missing, behind the cache `asked.hot` if one is named; with keys in
    the environment, what is added is sealed. Raises: ConfigError if the newest session of one of `tenants` is sealed
    and there are no keys; StoreLost as above."""
    with Sessions(asked.url) as plain:
        sealed = any(_sealed(plain, tenant, None) for tenant in {*tenants})
    keyring = _keyring(asked.url) if sealed or os.environ.get(KEYS_VARIABLE) else None
    return _behind_hot(asked, keyring, None)


def opened_to_work(asked: argparse.Namespace, policy: Policy) -> Sessions:
    """The sessions at `asked.url`, behind the cache `asked.hot` if one is named, for a worker; with keys in the
    environment, sealed ones are decrypted. Raises: NotFound; StoreLost as above."""
    _require_there(asked.url)
    keyring = _keyring(asked.url) if os.environ.get(KEYS_VARIABLE) else None
    return _behind_hot(asked, keyring, policy)


def _behind_hot(asked: argparse.Namespace, keyring: Keyring | None, policy: Policy | None) -> Sessions:
    if not asked.hot:
        return Sessions(asked.url, keyring=keyring, policy=policy)
    store = opened_store(None, asked.hot, asked.url)
    run_blocking(store.load(NOBODY))
    why = store.degraded if isinstance(store, HybridStore) else None
    run_blocking(store.close())
    if why is not None:
        raise StoreLost(
            f"nothing was changed, since the cache cannot be invalidated ({why}); retry when it is available"
        )
    return Sessions(hot=asked.hot, cold=asked.url, keyring=keyring, policy=policy)


def _keyring(url: str) -> Keyring:
    if not os.environ.get(KEYS_VARIABLE):
        raise ConfigError(
            f"the sessions in {shown_url(url)} are encrypted; set {KEYS_VARIABLE} to the keys of the application"
        )
    from session_core.stores.keyring import Keyring

    return Keyring.from_env()


def found(sessions: Sessions, asked: argparse.Namespace) -> Session:
    """The named session. Raises: NotFound, with the tenant that may have it."""
    key = Key(asked.session, asked.tenant or DEFAULT_TENANT)
    state = _state(sessions, key)
    if state is None or not state.ledger.messages:
        # Who named a tenant meant no other one: a second deletion must not point at somebody else's session.
        others = _tenants_of(sessions, asked.session) if asked.tenant is None else []
        mend = f"add --tenant {others[0]}" if others else f"see: llm-sessions list{_again(asked.url)}"
        raise NotFound(f"no session {key} in {shown_url(asked.url)}; {mend}")
    return sessions.session(asked.session, tenant=key.tenant)


def _again(url: str) -> str:
    """The option that names `url` once more, unless its password or options must not be shown."""
    return f" --url {url}" if shown_url(url) == url else " with the same --url"


def none_in(asked: argparse.Namespace) -> str:
    """The error that there is no session."""
    whose = f" of tenant {asked.tenant}" if asked.tenant is not None else ""
    return f"no sessions{whose} in {shown_url(asked.url)}"


def _tenants_of(sessions: Sessions, session_id: str) -> list[str]:
    """The tenants that have a session with that id; empty if a store hides them from each other."""
    try:
        return [state.key.tenant for state in sessions.list() if state.key.session_id == session_id]
    except ConfigError:
        return []


def _sealed(sessions: Sessions, tenant: str | None, session_id: str | None) -> bool:
    """Whether a session is sealed; without an id, whether the newest readable one of the tenant is, or of all."""
    key = None if session_id is None else Key(session_id, tenant or DEFAULT_TENANT)
    states = sessions.list(tenant) if key is None else (_state(sessions, key),)
    for state in states:
        if state is None or not state.head:
            continue
        first = state.head.pairs[0][0]
        try:
            messages = run_blocking(sessions.store.record(state.key, Ranges(((first, first),))))
        except StoreUnreadable:
            continue
        return any(map(is_sealed, messages))
    return False


def _state(sessions: Sessions, key: Key) -> State | None:
    return run_blocking(sessions.store.state(key))


def _require_there(url: str) -> None:
    parts = split_url(url)
    if parts.scheme == "sqlite":
        path = file_in(parts)
        if path.name and not _may_be_there(path):
            raise NotFound(f"no database at {path}; name one with --url sqlite:///path/to/file.db")


def _may_be_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # in a folder that is shut: the store says what to mend


def folder(out: Path) -> Path:
    """`out`, created if missing. Raises: ConfigError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"--out {out} cannot be used ({exc}); name a folder you may write to") from exc
    return out


def _looking(window_tokens: int = 128_000) -> Policy:
    return Policy(Budget(window_tokens), resume_after_s=inf)
