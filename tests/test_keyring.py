"""Keyrings: where their keys come from, which are refused, and what is sealed opens nowhere else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from sealed_fill import NEW, OLD, RING

from session_core.errors import ConfigError, StoreUnreadable
from session_core.stores.keyring import Keyring
from session_core.testing import KEY
from session_core.turns import Key

THIRD = b"t" * 32


def _env(**keys: bytes) -> str:
    return ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in keys.items())


def test_a_keyring_from_the_environment_seals_with_its_first_key(monkeypatch):
    monkeypatch.setenv("LLM_SESSIONS_KEYS", _env(k2=NEW, k1=OLD))
    ring = Keyring.from_env()
    assert (ring.ids, ring.primary) == (("k2", "k1"), "k2")
    assert ring.match_key == RING.match_key
    monkeypatch.setenv("LLM_SESSIONS_MATCH_KEY", base64.b64encode(THIRD).decode())
    assert Keyring.from_env().match_key == THIRD


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not set"),
        ("k1", "key 1 in LLM_SESSIONS_KEYS is not id:base64"),
        ("k1:***", "not base64"),
        ("k1:" + base64.b64encode(b"short").decode(), "32 bytes"),
        (_env(k1=OLD) + "," + _env(k1=NEW), "repeats an id"),
        (_env(**{"a b": OLD}), "key id 'a b'"),
    ],
)
def test_a_bad_key_in_the_environment_is_told_without_showing_it(monkeypatch, text, told):
    monkeypatch.setenv("LLM_SESSIONS_KEYS", text)
    with pytest.raises(ConfigError, match=told) as caught:
        Keyring.from_env()
    assert base64.b64encode(OLD).decode() not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({}, None),
        ({"k": b"x"}, None),
        ({"k": "text" * 8}, None),
        ({"k": OLD}, b"x"),
        ({"": OLD}, None),
        ({"k2": OLD, "k1": OLD}, None),
        ({"k": OLD}, OLD),
    ],
)
def test_keys_that_cannot_be_used_are_refused(keys, match):
    with pytest.raises(ConfigError):
        Keyring(keys, match_key=match)


def test_a_keyring_shows_ids_and_no_keys():
    assert repr(Keyring({"k2": NEW, "k1": OLD})) == "Keyring(k2, k1)"


PLACE = ("author",)


def test_equal_names_are_sealed_alike_in_one_session_under_one_key_and_nowhere_else():
    ring, other = Keyring({"k1": OLD}), Keyring({"k1": OLD}, match_key=THIRD)
    sealed = ring.seal(KEY, PLACE, b"Ann", same=True)
    assert other.seal(KEY, PLACE, b"Ann", same=True) == sealed
    others = [
        ring.seal(KEY, PLACE, b"Ben", same=True),
        ring.seal(replace(KEY, session_id="another"), PLACE, b"Ann", same=True),
        Keyring({"k2": OLD}).seal(KEY, PLACE, b"Ann", same=True),
        Keyring({"k1": NEW}).seal(KEY, PLACE, b"Ann", same=True),
    ]
    # A nonce that came again with other text, or with other associated data, would give the session's names away.
    assert len({_nonce(one) for one in [sealed, *others]}) == 5


def _nonce(sealed: bytes) -> bytes:
    start = 2 + sealed[1]
    return sealed[start : start + 12]


def test_a_nonce_never_comes_again():
    ring = Keyring({"k1": OLD})
    assert len({_nonce(ring.seal(KEY, PLACE, b"same")) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((Key("a", "b"), ("x", "y")), (Key("b", "a"), ("x", "y"))),
        ((Key("ab", "c"), ("x",)), (Key("a", "bc"), ("x",))),
        ((Key("a", "b", "c"), ("x",)), (Key("a", "b"), ("c", "x"))),
        ((Key("a", "b"), ("x", "y")), (Key("a", "b"), ("xy",))),
        ((Key("a", "b"), ("x", "y", "z")), (Key("a", "b"), ("x", "yz"))),
    ],
)
def test_different_places_never_have_the_same_associated_data(one, other):
    ring = Keyring({"k1": OLD})
    sealed = ring.seal(*one, b"said")
    assert ring.open(*one, sealed) == b"said"
    with pytest.raises(StoreUnreadable):
        ring.open(*other, sealed)
    assert ring.match(*one, b"said") != ring.match(*other, b"said")


@pytest.mark.parametrize("at", range(len("k1") + 2 + 12 + 16 + len("said")))
def test_no_byte_of_what_is_sealed_can_be_changed(at):
    ring = Keyring({"k1": OLD, "k2": NEW})
    sealed = bytearray(ring.seal(KEY, PLACE, b"said"))
    sealed[at] ^= 3
    with pytest.raises(StoreUnreadable):
        ring.open(KEY, PLACE, bytes(sealed))


@pytest.mark.parametrize("length", range(4 + 12 + 16))
def test_truncated_values_cannot_be_opened(length):
    ring = Keyring({"k1": OLD})
    with pytest.raises(StoreUnreadable):
        ring.open(KEY, PLACE, ring.seal(KEY, PLACE, b"said")[:length])
