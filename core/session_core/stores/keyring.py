"""Keys and cipher of an encrypting store: AES-256-GCM, key ids, and values bound to their place."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping
from functools import lru_cache

from session_core.errors import ConfigError, StoreUnreadable, missing_extra, named_type
from session_core.turns import Key

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
except ImportError as exc:
    raise missing_extra("cryptography", "encryption") from exc

KEY_BYTES = 32
KEYS_VARIABLE = "LLM_SESSIONS_KEYS"
MATCH_VARIABLE = "LLM_SESSIONS_MATCH_KEY"
FORMAT = 1
_NONCE_BYTES = 12
_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_CIPHERS_KEPT = 4096

Place = tuple[str | bytes | int, ...]
"""The purpose of a sealed value, and its name within its session: ("clip", "m1")."""


class Keyring:
    """Seals bytes with the first of `keys`, and opens what any of them sealed. Thread-safe.

    `keys` maps an id to 32 random bytes; the id is stored with each sealed value. Put a new key first; an old one can
    be removed when every session was rotated (`EncryptedStore.rotate`).

    `match_key` recognises a message that is sent again, whichever key sealed the first one, so it must stay the same
    as long as the sessions exist; it decrypts nothing. By default it is derived from the last of `keys`: before
    removing that one, pass `match_key=old_keyring.match_key`.

    Construction: keys only derive (HKDF-SHA256) one AES key per session, so that the usual bound of GCM with random
    nonces, 2^32 values, applies per session and not per key. Values sealed with `same` (names that a store compares)
    have an AES key of their own, and their nonce is an HMAC-SHA256, with a third derived key, over everything that is
    encrypted or authenticated, as in SIV modes: a nonce is never used for two texts, and only the equality of two
    names in one session is visible. The place (tenant, session, namespace, purpose, name) and the key's id are
    associated data: bytes that were moved elsewhere cannot be opened. Lengths and times are not hidden. The holder of
    the match key can test guesses at message content; see docs/security.md.

    Raises: ConfigError for keys that cannot be used.
    """

    def __init__(self, keys: Mapping[str, bytes], *, match_key: bytes | None = None) -> None:
        if not isinstance(keys, Mapping):
            raise ConfigError(
                f"{named_type(keys)} is not a set of keys; pass Keyring({{id: 32 bytes}}) or Keyring.from_env()"
            )
        if not keys:
            raise ConfigError(
                "a keyring needs a key; make one with: python -c 'import secrets, base64; "
                "print(base64.b64encode(secrets.token_bytes(32)).decode())'"
            )
        for key_id, key in keys.items():
            _check(key_id, key)
        if match_key is not None:
            _check("match key", match_key)
        given = [bytes(key) for key in (*keys.values(), *(() if match_key is None else (match_key,)))]
        if len(set(given)) < len(given):
            raise ConfigError("two keys of a keyring are the same bytes; make each with secrets.token_bytes(32)")
        self._keys = {key_id: bytes(key) for key_id, key in keys.items()}
        self.primary = next(iter(self._keys))
        last = self._keys[next(reversed(self._keys))]
        self.match_key = bytes(match_key) if match_key is not None else _derived(last, b"match")
        self._match_id = hmac.digest(self.match_key, b"id", "sha256")[:4]
        self._cipher = lru_cache(_CIPHERS_KEPT)(self._made_cipher)

    @classmethod
    def from_env(cls, name: str = KEYS_VARIABLE, *, match_name: str = MATCH_VARIABLE) -> Keyring:
        """The keyring in the variable `name`: "new:<base64>,old:<base64>", the first one seals.

        The match key, base64, is in `match_name` when it is set. Raises: ConfigError.
        """
        text = os.environ.get(name, "").strip()
        if not text:
            raise ConfigError(f"the variable {name} is not set; set it to keys as id:base64, separated by commas")
        keys: dict[str, bytes] = {}
        for number, entry in enumerate(text.split(","), 1):
            key_id, colon, encoded = entry.strip().partition(":")
            if not colon or key_id in keys:
                why = "repeats an id" if colon else "is not id:base64"
                raise ConfigError(f"key {number} in {name} {why}; write id:base64,id:base64 with an id for each")
            keys[key_id] = _decoded(encoded, f"key {number} in {name}")
        match = os.environ.get(match_name, "").strip()
        return cls(keys, match_key=_decoded(match, match_name) if match else None)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, beginning with the one that seals."""
        return tuple(self._keys)

    def seal(self, key: Key, place: Place, plain: bytes, *, same: bool = False) -> bytes:
        """`plain`, readable only with this keyring, in this session, at this place.

        With `same`, equal texts give equal bytes as long as the first key is the same.
        """
        bound = _joined(key, place)
        head = bytes((FORMAT, len(self.primary))) + self.primary.encode()
        cipher, nonce_key = self._cipher(self.primary, key, same)
        if same:
            nonce = _mac(nonce_key, head + bound, plain)[:_NONCE_BYTES]
        else:
            nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + cipher.encrypt(nonce, plain, head + bound)

    def open(self, key: Key, place: Place, sealed: bytes, *, same: bool = False) -> bytes:
        """The inverse of `seal`. Raises: StoreUnreadable, naming session and key, never content."""
        key_id = self.key_of(key, place, sealed)
        if key_id not in self._keys:
            raise StoreUnreadable(
                f"session {key}: a {place[0]!s} was sealed with key {key_id!r}, which the keyring "
                f"({', '.join(self._keys)}) does not have; add that key after the others"
            )
        start = 2 + len(key_id)
        head, nonce, body = sealed[:start], sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return self._cipher(key_id, key, same)[0].decrypt(nonce, body, head + _joined(key, place))
        except (InvalidTag, ValueError) as exc:
            raise StoreUnreadable(
                f"session {key}: a {place[0]!s} does not open with key {key_id!r}; the key under that id is another "
                "one, or the stored value was changed or moved here from elsewhere: restore key or backup"
            ) from exc

    def reseal(self, key: Key, place: Place, sealed: bytes, *, same: bool = False) -> bytes:
        """The value sealed with the first key; `sealed` itself if it already is."""
        if self.key_of(key, place, sealed) == self.primary:
            return sealed
        return self.seal(key, place, self.open(key, place, sealed, same=same), same=same)

    def key_of(self, key: Key, place: Place, sealed: bytes) -> str:
        """The id of the key that sealed `sealed`. Raises: StoreUnreadable if it is not sealed."""
        length = sealed[1] if len(sealed) > 1 and sealed[0] == FORMAT else 0
        found = sealed[2 : 2 + length].decode("ascii", "replace")
        if not _ID.fullmatch(found):
            raise StoreUnreadable(
                f"session {key}: a {place[0]!s} is not sealed, or by a newer release; an encrypting store reads only "
                "what it wrote: update llm-sessions, or read it with the inner store and append it here"
            )
        return found

    def match(self, key: Key, place: Place, data: bytes) -> bytes:
        """A keyed hash: equal for equal `data` at one place, and useless without the match key."""
        return self._match_id + _mac(self.match_key, b"match" + _joined(key, place), data)[:16]

    def require_match(self, key: Key, mark: bytes) -> None:
        """Raises: StoreUnreadable if `mark` was made with another match key."""
        if mark[:4] != self._match_id:
            raise StoreUnreadable(
                f"session {key}: it was written with other keys, or with another one in last place, of which the match "
                "key is made; pass those keys with the last one last, or Keyring(match_key=...)"
            )

    def _made_cipher(self, key_id: str, key: Key, same: bool) -> tuple[AESGCM, bytes]:
        """A session's cipher, and the key from which non-random nonces are derived."""
        whole, session = self._keys[key_id], _joined(key, ())
        if same:
            return AESGCM(_derived(whole, b"same", session)), _derived(whole, b"nonce", session)
        return AESGCM(_derived(whole, b"seal", session)), b""


def _mac(key: bytes, bound: bytes, data: bytes) -> bytes:
    return hmac.digest(key, _counted(bound) + data, "sha256")


def _derived(key: bytes, purpose: bytes, bound: bytes = b"") -> bytes:
    # Expanding alone is enough: the keys are random already (RFC 5869, section 3.3).
    return HKDFExpand(SHA256(), KEY_BYTES, b"llm-sessions/1 " + purpose + b" " + bound).derive(key)


def _joined(key: Key, place: Place) -> bytes:
    """The parts, each prefixed with its length, so that different lists never give equal bytes."""
    parts = (key.tenant, key.session_id, key.namespace, *place)
    return b"".join(_counted(_bytes_of(part)) for part in parts)


def _bytes_of(part: str | bytes | int) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")


def _counted(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _check(key_id: str, key: bytes) -> None:
    if key_id != "match key" and not _ID.fullmatch(key_id):
        raise ConfigError(f"key id {key_id[:40]!r} is invalid; use 1 to 32 letters, digits, dots, - and _")
    if not isinstance(key, bytes | bytearray) or len(key) != KEY_BYTES:
        raise ConfigError(f"{key_id} is not a key of {KEY_BYTES} bytes; make one with secrets.token_bytes({KEY_BYTES})")


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{what} is not base64; make one with base64.b64encode(secrets.token_bytes(32))") from None
