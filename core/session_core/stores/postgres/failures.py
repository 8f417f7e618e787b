"""Translates the PostgreSQL driver's errors into ours, with a fix and without message content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType

import psycopg

from session_core.errors import ConfigError, SessionError, StoreBusy, StoreError, StoreLost, StoreUnreadable
from session_core.stores import open_files


class AppendedTwice(StoreBusy):
    """Two writers appended one message at the same time, and the other one succeeded."""


_Mend = tuple[type[SessionError], str]
_LOST: _Mend = (
    StoreLost,
    "lost its connection, and whether it wrote is unknown; retry: messages with ids are stored once",
)
_SCHEMA: _Mend = (
    StoreUnreadable,
    "has other objects in this schema, or those of another release; open it again, or use another schema in the URL",
)
_POOLER: _Mend = (
    StoreError,
    "is behind a pooler without prepared statements, and nothing was written; add prepare=0 to the URL",
)
_READ_ONLY = (
    "is a standby, or has default_transaction_read_only on, and accepts no writes; retry if the primary is being "
    "replaced, otherwise use the primary, add target_session_attrs=read-write, or turn that off"
)
_TOOK_LONG = "exceeded the server's transaction_timeout, and nothing was written; retry, or raise it"
_STRICT = (
    "conflicted with another writer under an isolation level that fails instead of waiting; retry, or "
    "ALTER ROLE ... SET default_transaction_isolation = 'read committed'"
)
_CANCELLED = (
    "ran out of the time that the server gives a statement, or somebody cancelled it, and nothing was written; retry, "
    "or raise statement_timeout"
)
_MENDS: Mapping[str, _Mend] = {
    "40001": (StoreBusy, _STRICT),
    "40P01": (StoreBusy, "conflicted with another writer; retry"),
    "55P03": (StoreBusy, "was locked by another writer for too long; retry"),
    "57014": (StoreBusy, _CANCELLED),
    "53300": (StoreBusy, "has no free connection; retry, lower max_connections in the URL or raise the server's"),
    "53100": (StoreError, "has no room left on its disk, and nothing was written; make room"),
    "2200H": (
        StoreError,
        "has reached the 4,294,967,296 sessions that one schema can count; use another schema in the URL",
    ),
    "25006": (StoreLost, _READ_ONLY),
    "25P04": (StoreBusy, _TOOK_LONG),
    "42501": (
        StoreUnreadable,
        "denies a permission that sessions need; grant the schema, its tables, sequences and functions",
    ),
    "3D000": (StoreUnreadable, "does not exist; create the database"),
    "28000": (StoreUnreadable, "refuses the user; correct it in the URL"),
    "28P01": (StoreUnreadable, "refuses the password; correct it in the URL"),
    "LS002": (AppendedTwice, "conflicted with a writer of the same message; retry"),
    "LS001": (ConfigError, "restricts rows by tenant, so that no call sees all of them; name a tenant"),
    **dict.fromkeys(("3F000", "42P01", "42P07", "42703", "42710", "42723", "42883"), _SCHEMA),
    **dict.fromkeys(("26000", "42P05"), _POOLER),
    **dict.fromkeys(("25P03", "57P01", "57P02", "57P03", "57P05"), _LOST),
}


_TAKEN = ("too many", "remaining connection slots")
_FOR_NOW = ("starting up", "shutting down", "recovery", "cancel", *_TAKEN)
"""Error codes of a server that refuses a connection temporarily."""


_ANY = "is the server running, are host, database, user and password right?"
_UNREACHED: tuple[tuple[re.Pattern[str], type[SessionError], str], ...] = (
    (
        re.compile("FATAL: +database .* does not exist"),
        StoreUnreadable,
        "create that database (CREATE DATABASE), or name another in the URL",
    ),
    (
        re.compile("FATAL: +role .* does not exist"),
        StoreUnreadable,
        "create that user (CREATE ROLE ... LOGIN), or name another in the URL",
    ),
    (re.compile("FATAL: +password authentication failed"), StoreUnreadable, "correct user and password in the URL"),
    (re.compile("no password supplied"), StoreUnreadable, "give the password in the URL, or in PGPASSWORD"),
    (
        re.compile(r"FATAL: .*pg_hba\.conf|FATAL: +\w+ authentication failed"),
        StoreUnreadable,
        "have the server let this user in from here (pg_hba.conf), or name another in the URL",
    ),
    (re.compile("invalid .* (?:value|option)|bad value for"), ConfigError, "correct it in the URL"),
    (
        re.compile("unsupported startup parameter"),
        ConfigError,
        "the pooler takes no such option: leave it out of the URL, and set it with ALTER ROLE ... SET",
    ),
    (re.compile("resolve host|translate host name"), StoreLost, "is the host's name right? Then retry"),
    (
        re.compile("timeout expired"),
        StoreLost,
        "are host and port right? Then retry, or raise connect_timeout in the URL",
    ),
    (
        re.compile("Connection refused|No such file or directory"),
        StoreLost,
        "is the server running, are host and port right? Then retry",
    ),
)
"""Messages of libpq and a server about a failed connection, in English; others get a general text."""


class Translated:
    """A reusable context manager that translates driver errors into ours, which name `where`."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: type[BaseException] | None, exc: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(exc, psycopg.Error):
            raise _translate(exc, self._where) from _reason(exc)
        if isinstance(exc, OSError) and open_files.is_limit(exc):
            # From the selectors with which the driver waits.
            raise _no_file_left(self._where) from exc


def _translate(exc: psycopg.Error, where: str) -> SessionError:
    code = exc.sqlstate or ""
    if code in _MENDS:
        kind, mend = _MENDS[code]
        return kind(f"{where} {mend} ({code})")
    if isinstance(exc, psycopg.OperationalError) and (not code or code.startswith("08")):
        kind, mend = _LOST
        return kind(f"{where} {mend}")
    return StoreError(f"{where} refused a call ({type(exc).__name__}{', ' + code if code else ''})")


def _reason(exc: psycopg.Error) -> psycopg.Error | None:
    """The driver's error as the cause of ours, unless the server may have quoted a row or a parameter in it: with
    `log_parameter_max_length_on_error` set, parameters are in the context of any error, also of a timeout."""
    known = exc.sqlstate is None or exc.sqlstate in _MENDS
    return exc if known and exc.diag.context is None and exc.diag.message_detail is None else None


def is_full(exc: psycopg.OperationalError) -> bool:
    """Whether the server has no room for a further connection; told by its words, since such an error has no code."""
    return any(words in str(exc) for words in _TAKEN)


def not_now(exc: psycopg.OperationalError, where: str) -> SessionError:
    """The error for a further connection that failed, to a server that accepted some before."""
    if exc.sqlstate in _MENDS:
        return _translate(exc, where)
    if open_files.none_left():
        return _no_file_left(where)
    if _is_refusal(exc):
        return StoreError(
            f"{where} refuses a connection ({_said(exc)}), and nothing was written; check database, user and password "
            "in the URL, and that the user may log in"
        )
    mend = "retry"
    if is_full(exc):
        mend = "retry, lower max_connections in the URL or raise the server's"
    return StoreLost(f"{where} accepts no connection ({_said(exc)}); nothing was written: {mend}")


def unreachable(exc: psycopg.Error, where: str) -> SessionError:
    """The error for a first connection that failed; the server's text about it contains no message content."""
    if exc.sqlstate in _MENDS:
        return _translate(exc, where)
    if open_files.none_left():
        return _no_file_left(where)
    text = str(exc)
    kind, mend = next(
        ((kind, mend) for words, kind, mend in _UNREACHED if words.search(text)),
        (StoreUnreadable if _is_refusal(exc) else StoreLost, _ANY),
    )
    return kind(f"{where} cannot be reached ({_said(exc)}); {mend}")


def _no_file_left(where: str) -> StoreBusy:
    return StoreBusy(f"{where} {open_files.LIMIT}")


def _is_refusal(exc: psycopg.Error) -> bool:
    """Whether the server rejected the connection for good; otherwise a retry helps. The error has no code, but it
    begins with FATAL, in most languages too."""
    text = str(exc)
    return "FATAL" in text and not any(words in text for words in _FOR_NOW)


def _said(exc: psycopg.Error) -> str:
    return " ".join(str(exc).split())[:300]
