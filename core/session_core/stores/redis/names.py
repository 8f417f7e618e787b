"""Key names of a session: all in one cluster slot, whatever the names contain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from session_core.turns import Key

_RESERVED = str.maketrans({"%": "%25", "{": "%7B", "}": "%7D", "|": "%7C"})
_BACK = (("%7B", "{"), ("%7D", "}"), ("%7C", "|"), ("%25", "%"))


@dataclass(frozen=True, slots=True)
class Names:
    """Builds the keys of sessions, which all begin with `prefix`."""

    prefix: str = "llms"

    def of(self, key: Key) -> tuple[bytes, ...]:
        """The keys of a session: state, log, checkpoints, values, the set of its namespaces; for a namespace also
        the state of the session itself."""
        return _of(self.prefix, key.tenant, key.session_id, key.namespace)

    def of_namespace(self, key: Key) -> list[bytes]:
        """The four keys that belong to a namespace alone."""
        return [as_bytes(f"{self._tag(key)}:{part}:{key.namespace}") for part in "smcv"]

    def lease(self, key: Key) -> bytes:
        """The newest grant of the session's turn."""
        return as_bytes(f"{self._tag(key)}:l:{key.namespace}")

    def namespaces(self, key: Key) -> bytes:
        """The set of a session's namespaces, without the empty one."""
        return as_bytes(f"{self._tag(key)}:n")

    def beginning(self, key: Key) -> bytes:
        """The prefix of exactly the keys of a session."""
        return as_bytes(f"{self._tag(key)}:")

    def namespace_in(self, name: bytes) -> bytes:
        """The namespace of a key; empty for the session itself and for the set of namespaces."""
        return name[name.index(b"}") :].partition(b":")[2].partition(b":")[2]

    def sessions(self, tenant: str) -> bytes:
        """The list of a tenant's sessions, in a slot of its own."""
        return as_bytes(f"{self.prefix}:sessions:{escape(tenant)}")

    def tenants(self) -> bytes:
        """The list of all tenants."""
        return as_bytes(f"{self.prefix}:tenants")

    def _tag(self, key: Key) -> str:
        return f"{self.prefix}:{{{escape(key.tenant)}|{escape(key.session_id)}}}"


def pattern(beginning: bytes) -> bytes:
    """The pattern of SCAN and KEYS for all names with this prefix."""
    return re.sub(rb"([*?\[\]\\])", rb"\\\1", beginning) + b"*"


@lru_cache(maxsize=4_096)
def _of(prefix: str, tenant: str, session_id: str, namespace: str) -> tuple[bytes, ...]:
    """Keyed by strings, which cache their hashes, while a `Key` computes its own each time."""
    names, key = Names(prefix), Key(session_id, tenant, namespace)
    main = [] if not namespace else names.of_namespace(Key(session_id, tenant))[:1]
    return (*names.of_namespace(key), names.namespaces(key), *main)


def escape(name: str) -> str:
    """`name` with the characters escaped that have a meaning in a key."""
    return name.translate(_RESERVED)


def unescape(name: str) -> str:
    """The inverse of `escape`."""
    for code, sign in _BACK:
        name = name.replace(code, sign)
    return name


def as_bytes(text: str) -> bytes:
    """`text` encoded for Redis; lone surrogates are kept."""
    return text.encode("utf-8", "surrogatepass")


def as_text(data: bytes) -> str:
    """The inverse of `as_bytes`."""
    return data.decode("utf-8", "surrogatepass")


def plain(text: str) -> str:
    """`text` as valid UTF-8, since the scripts' msgpack has no bytes."""
    if text.isascii() and not text.startswith("\x00"):
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "\x00" + as_bytes(text).hex()
    return "\x00" + as_bytes(text).hex() if text.startswith("\x00") else text


def from_plain(text: str) -> str:
    """The inverse of `plain`."""
    return as_text(bytes.fromhex(text[1:])) if text.startswith("\x00") else text
