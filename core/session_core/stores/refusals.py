"""The errors with which stores refuse a call, whether Python or a script on the server decided it."""

from __future__ import annotations

from session_core.errors import Conflict, DuplicateMessage, OrphanToolResult, StoreBusy, TurnLost
from session_core.ports import Lease
from session_core.turns import Key


def duplicate_message(key: Key, message_id: str) -> DuplicateMessage:
    """A message whose id the record has with other content."""
    error = DuplicateMessage(
        f"session {key}: message {message_id!r} is already in the record with other content; "
        "give the new one an id of its own"
    )
    error.message_id = message_id
    return error


def orphan_result(key: Key, call_id: str | None) -> OrphanToolResult:
    """A tool result whose call is not open."""
    return OrphanToolResult(
        f"session {key}: a tool result answers call {call_id!r}, which is not open; "
        "append the assistant message with that call first, and each result once"
    )


def other_version(key: Key, version: int, expected: int | None) -> Conflict:
    """A write that expected another version of the session."""
    return Conflict(f"session {key} is at version {version}, not {expected}; load it again and retry")


def other_digest(key: Key, newest: int, expected: int) -> Conflict:
    """A digest made from one that is no longer the newest."""
    return Conflict(f"session {key} now has digest {newest}, not {expected}; fold again on the newer one")


def session_gone(key: Key) -> Conflict:
    """A digest, or a checkpoint's references to the record, of a session that was deleted meanwhile, or lost messages
    when its server was restored."""
    return Conflict(
        f"session {key} was deleted, or its server restored from older data, since it was read; nothing was written: "
        "start again on what is there"
    )


def copy_exists(key: Key, target: Key) -> Conflict:
    """A copy to a session that exists already."""
    return Conflict(
        f"session {key} cannot be copied to {target}: there is a session of that name; delete it first, or name another"
    )


def turn_lost(key: Key, lease: Lease) -> TurnLost:
    """A write whose `lease` is not the session's."""
    return TurnLost(
        f"session {key}: the turn was released, or taken by another holder after {lease.ttl_s:g} s; nothing was "
        "written: load the session and take the turn again, with a longer ttl_s if turns are slow"
    )


def checkpoint_moved_on(key: Key, newest_id: str | None) -> Conflict:
    """A checkpoint whose parent is not the newest one, `newest_id`."""
    where = "was deleted" if newest_id is None else f"went on to checkpoint {newest_id!r}"
    return Conflict(
        f"session {key}: the thread {where} while this run was under way; nothing was written: run it again on what "
        "is there now, or have runs wait for each other or be merged"
    )


def no_connection(shown: str, max_connections: int, wait_s: float) -> StoreBusy:
    """A call that waited for a free connection until the timeout."""
    return StoreBusy(
        f"{shown}: all {max_connections} connections were in use for {wait_s:g} s; "
        "retry, or raise max_connections in the URL"
    )
