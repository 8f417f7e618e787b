"""Translates the Redis driver's errors into ours, with a fix."""

from __future__ import annotations

import re
import socket

from session_core.errors import StoreBusy, StoreError, StoreLost, StoreUnreadable
from session_core.stores import open_files
from session_core.stores.redis.driver import NO_PRIMARY, TOO_MANY, Replaced
from session_core.stores.redis.driver import exceptions as driver

FAILURES = (driver.RedisError, driver.RedisClusterException, OSError)
"""All errors of the driver for a failed call."""

_FORBIDS = (
    "denies a permission that sessions need; grant the user all that docs/runbook.md lists, on the keys of the prefix"
)
_FORBIDDEN = re.compile(r"to run the '([a-z]{1,32})(?:\|[a-z-]{1,32})?' command")
"""How a server names a command that the user may not run."""
_FULL = "is out of memory and wrote nothing; raise maxmemory, or set ttl_s"
_PLAIN = "; if it speaks no TLS, start the URL with redis:// instead of rediss://"
"""A plain port takes the beginning of a TLS handshake for an incomplete command, and waits."""
_SECURE = "; if the port speaks TLS, start the URL with rediss:// instead of redis://"
"""A TLS port closes a connection without a handshake."""
_REPLICA = (
    "is a read-only replica, and nothing was written; retry if its primary is being replaced, otherwise use the "
    "address of the primary, or redis+sentinel://"
)
_IN_SCRIPT = re.compile(r"(?:ERR )?(?:Error running script \(call to f_\w+\): )?(?:@user_script: ?\d+: )*-?")
"""Prefix of version 6 for errors of commands within a script."""
_Mend = tuple[type[BaseException] | tuple[type[BaseException], ...], type[StoreError], str]
_MENDS: tuple[_Mend, ...] = (
    (
        driver.AuthenticationError,
        StoreError,
        "refuses the user or password; correct them in the URL, where a password alone is written redis://:PASSWORD@host",
    ),
    (driver.NoPermissionError, StoreError, _FORBIDS),
    (driver.AuthorizationError, StoreError, _FORBIDS),
    (driver.BusyLoadingError, StoreBusy, "is still loading its data; retry"),
    (driver.MaxConnectionsError, StoreBusy, "has no free connection; retry, or raise max_connections in the URL"),
    (driver.TimeoutError, StoreLost, "did not answer in time; retry, or raise socket_timeout in the URL"),
    (driver.ReadOnlyError, StoreLost, _REPLICA),
    (driver.OutOfMemoryError, StoreError, _FULL),
    (driver.MasterDownError, StoreLost, "is a replica without its primary, and does not answer meanwhile; retry"),
    (driver.TryAgainError, StoreBusy, "is moving this session to another node; retry"),
    (driver.ClusterDownError, StoreLost, "is a cluster without a node for this session right now; retry"),
    (
        driver.ClusterError,
        StoreBusy,
        "redirects a call from node to node; if a slot is half moved, finish that, and retry",
    ),
    (
        driver.RedisClusterException,
        StoreError,
        "cannot be reached as a cluster; are its nodes up? For a single server start the URL with redis://",
    ),
    (
        NO_PRIMARY,
        StoreLost,
        "has no primary that its sentinels know of right now; does the URL use their name for the service? Then retry",
    ),
    (Replaced, StoreLost, "has a primary that accepts no writes: it was replaced, or has too few replicas; retry"),
    (driver.ConnectionError, StoreLost, "cannot be reached; is it running, and is the address right? Then retry"),
)
_CODE = re.compile(r"^[A-Z]+\b|user_script:\d+")
"""The part of a server's message that is shown: its code, and the line of a script."""
_SAID: tuple[tuple[str, type[StoreError], str], ...] = (
    ("WRONGTYPE", StoreUnreadable, "has keys of another application under this prefix; set another prefix in the URL"),
    *dict.fromkeys(
        (beginning, StoreError, "requires a password; put it into the URL, redis://:PASSWORD@host")
        for beginning in ("NOAUTH", "Authentication required", "HELLO must be called with the client already auth")
    ),
    ("AUTH <password> called without any password", StoreError, "has no password; take it out of the URL"),
    ("NOPERM", StoreError, _FORBIDS),
    ("ACL failure in script", StoreError, _FORBIDS),
    ("The user executing the script can't run", StoreError, _FORBIDS),
    ("OOM", StoreError, _FULL),
    ("READONLY", StoreLost, _REPLICA),
    ("NOREPLICAS", StoreBusy, "has too few replicas and accepts no writes; retry, or bring its replicas back"),
    ("MISCONF", StoreError, "cannot write to its disk and accepts no writes; see its log"),
    ("BUSY", StoreBusy, "is blocked by a running script; retry"),
    ("LOADING", StoreBusy, "is still loading its data; retry"),
    ("DB index is out of range", StoreError, "has no database of that number; correct it in the URL"),
    (
        "unknown command 'SENTINEL'",
        StoreError,
        "is not a sentinel; use a sentinel's port, or start the URL with redis://",
    ),
    ("unknown command", StoreError, "does not know a command that sessions need; use Redis 6.2 or later, or Valkey"),
)


_CERTIFICATES = (
    ("mismatch", "is for another host name; use the name of the certificate in the URL"),
    ("expired", "has expired; renew it on the server"),
)
_UNTRUSTED = "is not trusted; name its issuer with ssl_ca_certs"


def translation(exc: BaseException, where: str) -> StoreError:
    """Our error for a driver error at `where`."""
    if isinstance(exc, driver.RedisClusterException) and isinstance(exc.__cause__, FAILURES):
        # No node answered; the last one's error is the reason.
        return translation(exc.__cause__, where)
    if open_files.is_limit(exc):
        return StoreBusy(f"{where} {open_files.LIMIT}")
    text = str(exc)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        wrong = next((mend for words, mend in _CERTIFICATES if words in text), _UNTRUSTED)
        return StoreError(f"{where} presents a certificate that {wrong}")
    if TOO_MANY in text:
        return StoreBusy(f"{where} has no free connection; retry, lower max_connections in the URL or raise maxclients")
    inner = _IN_SCRIPT.sub("", text, count=1)
    for beginning, ours, mend in _SAID:
        if inner.startswith(beginning):
            return ours(f"{where} {mend}{_lacking(mend, inner)}")
    for theirs, ours, mend in _MENDS:
        if isinstance(exc, theirs):
            if theirs is driver.ConnectionError and _is_unknown(exc):
                return ours(f"{where} has a name that is not known; correct it in the URL, or retry once it is")
            plain = _other_port(theirs, text, where)
            return ours(f"{where} {mend}{plain}{_lacking(mend, inner) or f' ({type(exc).__name__})'}")
    return StoreError(f"{where} refused a call ({', '.join([type(exc).__name__, *_CODE.findall(text)])})")


def _other_port(kind: object, text: str, where: str) -> str:
    """A hint if the port probably uses TLS and the URL does not, or vice versa."""
    secure = where.startswith("rediss")
    if kind is driver.TimeoutError and secure:
        return _PLAIN
    return _SECURE if kind is driver.ConnectionError and not secure and "connecting to" not in text else ""


def _is_unknown(exc: BaseException | None) -> bool:
    """Whether a host name cannot be resolved."""
    while exc is not None and not isinstance(exc, socket.gaierror):
        exc = exc.__cause__ or exc.__context__
    return exc is not None


def _lacking(mend: str, text: str) -> str:
    """The command that the user may not run, if the server names it."""
    named = _FORBIDDEN.search(text) if mend is _FORBIDS else None
    return f" (missing: the command {named[1]})" if named else ""


def reason(exc: BaseException) -> BaseException | None:
    """The driver's error as the cause of ours, unless the server may have quoted data of a call in it."""
    return exc if isinstance(exc, (driver.ConnectionError, driver.TimeoutError, OSError)) else None
