"""The bytes of a store: what goes in comes out, small, and damage is told."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import fields, replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_core.errors import StoreUnreadable
from session_core.events import Notice
from session_core.ledger import Ledger
from session_core.plan import Digest, Fact, FactKind
from session_core.ranges import Ranges
from session_core.serial.codec import (
    COMPRESSED,
    PLAIN,
    SHORT,
    body_digest,
    decode_body,
    digest_from_plain,
    digest_to_plain,
    encode_body,
    ledger_from_plain,
    ledger_to_plain,
    notice_from_plain,
    notice_to_plain,
    pack,
    packed_body,
    unpack,
    wrap,
)
from session_core.serial.compression import compress_short, decompress_short
from session_core.serial.dictionary import DICTIONARY
from session_core.turns import Importance, Media, Message, Native, Role, ToolCall

RICH = Message(
    Role.ASSISTANT,
    "On it.\x00 \ud83d alone, and 日本語",
    id="m-1",
    tool_calls=(ToolCall("c-1", "find", '{"city":"Köln"}'), ToolCall("", "wait")),
    name="",
    author="Ana",
    media=(Media("image", "https://example.org/a.png"), Media("audio", "UklGRg==", "audio/wav")),
    aside="thinking it over",
    native=Native("x/1", b"\x00\xff", b"note"),
    time_s=12.5,
    seq=7,
    tokens=42,
    importance=Importance.MUST_KEEP,
    clip="On it…",
    clip_tokens=3,
)
COLUMNS = ("id", "seq", "time_s", "tokens", "author", "importance", "clip", "clip_tokens")


def decoded(message: Message) -> Message:
    columns = {name: getattr(message, name) for name in COLUMNS}
    return decode_body(encode_body(message), **columns)


def test_a_message_comes_back_with_all_its_fields() -> None:
    assert decoded(RICH) == RICH


def test_a_tool_message_comes_back() -> None:
    message = Message(Role.TOOL, "42", tool_call_id="c-1", name="find")
    assert decoded(message) == message


@given(st.text(st.characters(), max_size=50), st.sampled_from([Role.USER, Role.SYSTEM, Role.ASSISTANT]))
def test_any_text_comes_back(text: str, role: Role) -> None:
    assert decode_body(encode_body(Message(role, text))) == Message(role, text)


@given(st.text(st.characters(categories=["Cs", "Cc", "L"]), min_size=1, max_size=20))
def test_lone_surrogates_in_every_field_come_back(text: str) -> None:
    message = Message(
        Role.ASSISTANT,
        text,
        tool_calls=(ToolCall(text, text, text),),
        name=text,
        media=(Media("file", text),),
        aside=text,
    )
    assert decode_body(encode_body(message)) == message


def test_a_short_body_is_plain_and_a_long_one_compressed() -> None:
    assert encode_body(Message(Role.USER, "hi"))[:1] == PLAIN
    assert encode_body(Message(Role.USER, "again and " * 100))[:1] == SHORT
    assert encode_body(Message(Role.USER, "again and " * 10_000))[:1] == COMPRESSED


def test_the_compression_dictionary_is_part_of_the_format() -> None:
    assert sha256(DICTIONARY).hexdigest() == "ea8331486eec7b1c615699a645dabe876e801e02d38e3759cc5c19ce3ca7edfa"


ASKED = "Could you please check whether the refund for my last order was confirmed? I would like to know before Friday."


def test_short_questions_compress_to_little_more_than_half() -> None:
    assert len(encode_body(Message(Role.USER, ASKED))) < len(ASKED) * 0.55


def test_what_the_first_release_wrote_is_read() -> None:
    kept = (
        "037cfdacad0100138103d1e41ec55998c04b2fb2639050a70efc2dc8869d7e828f3106f429eed1d805c31264c23e9d92"
        "303603b09fc9e66f078c4704"
    )
    assert decode_body(bytes.fromhex(kept)) == Message(Role.USER, ASKED)


@given(st.binary(max_size=300), st.integers(0, 15_000))
def test_compressed_bytes_come_back(data: bytes, more: int) -> None:
    whole = data + b"the flight " * (more // 20)
    assert decompress_short(compress_short(whole)) == whole


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_of_a_compressed_text_is_detected(place: int, change: int) -> None:
    said = "Nobody at the counter remembered the umbrella, or Ada. " * 3
    kept = bytearray(encode_body(Message(Role.USER, said)))
    kept[place % len(kept)] ^= change
    with suppress(StoreUnreadable):
        assert decode_body(bytes(kept)).content == said


def test_incompressible_bytes_are_stored_unchanged() -> None:
    assert pack(os.urandom(2_000))[:1] == PLAIN


def test_a_plain_message_costs_a_few_bytes_more_than_its_text() -> None:
    assert len(encode_body(Message(Role.USER, "hello"))) <= len("hello") + 6


def test_the_digest_is_the_same_whatever_the_columns() -> None:
    other = replace(RICH, id="m-2", seq=9, time_s=None, tokens=1, clip=None, author="Bo")
    assert body_digest(other) == body_digest(RICH)
    assert len(body_digest(RICH)) == 16


@pytest.mark.parametrize("message", [RICH, replace(RICH, native=None), Message(Role.USER, "hi")])
def test_body_and_digest_are_the_same_when_they_are_made_at_once(message: Message) -> None:
    body, digest = packed_body(message)
    assert (wrap(body), digest) == (encode_body(message), body_digest(message))


@pytest.mark.parametrize("size", [15_990, 16_100, 33_000, 1_000_000])
def test_a_long_text_comes_back_and_what_it_says_again_takes_next_to_nothing(size: int) -> None:
    said = " ".join(f"order {number * 7919 % 10_007}" for number in range(size))[: size // 2]
    assert unpack(pack(said + said)) == said + said
    assert len(pack(said + said)) < len(pack(said)) * 1.3


def test_threads_compress_and_decompress_concurrently() -> None:
    said = [f"The flight of customer {number} is late. " * 8 for number in range(64)]
    wrong: list[str] = []

    def speak(first: int) -> None:
        for one in (said[first:] + said[:first]) * 20:
            if decode_body(encode_body(Message(Role.USER, one))).content != one:
                wrong.append(one)

    threads = [threading.Thread(target=speak, args=(8 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "change",
    [
        {"content": "Off it."},
        {"tool_calls": ()},
        {"name": None},
        {"media": ()},
        {"aside": ""},
        {"native": None},
        {"native": Native("x/1", b"\x01", b"note")},
        {"role": Role.USER},
    ],
)
def test_the_digest_changes_with_what_is_said(change: dict[str, object]) -> None:
    assert body_digest(replace(RICH, **change)) != body_digest(RICH)  # type: ignore[arg-type]


def test_a_note_is_no_part_of_what_is_said() -> None:
    assert body_digest(replace(RICH, native=Native("x/1", b"\x00\xff", b"other"))) == body_digest(RICH)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x09abc",
        b"\x01",
        b"\x01\xc1",
        b"\x02not zstandard",
        b"\x03",
        b"\x03\x00\x00\x03\x00",
        b"\x01\x91\xa1z",
        b"\x01\x91\xa1t",
        b"\x01\xa1u",
    ],
)
def test_damaged_bytes_say_what_to_do(data: bytes) -> None:
    with pytest.raises(StoreUnreadable, match="update llm-sessions, or restore it from a backup"):
        decode_body(data, id="m-1")


@given(st.binary(max_size=40), st.sampled_from([decode_body, unpack]), st.sampled_from([b"", PLAIN]))
def test_random_bytes_are_never_another_error(data: bytes, read: object, version: bytes) -> None:
    with suppress(StoreUnreadable):
        read(version + data)  # type: ignore[operator]


def _filled(kind: type) -> dict[str, object]:
    """A value that is no default for each field of a value class."""
    samples = {"str": "text", "int": 5, "float": 1.5, "float | None": 2.5, "tuple[str, ...]": ("a", "b")}
    return {f.name: samples[str(f.type)] for f in fields(kind) if str(f.type) in samples}


def test_a_ledger_comes_back_with_all_its_fields() -> None:
    ledger = Ledger(**_filled(Ledger))  # type: ignore[arg-type]
    assert set(_filled(Ledger)) == {f.name for f in fields(Ledger)}
    assert ledger_from_plain(unpack(pack(ledger_to_plain(ledger)))) == ledger


def test_a_digest_comes_back_with_all_its_fields() -> None:
    fact = Fact(FactKind.RULE, "never call", seq=3, author="A", time_s=1.0, slot="calls", superseded_by=9)
    plain = Fact(FactKind.DATE, "Monday", seq=4)
    digest = Digest(Ranges(((1, 4), (7, 9))), "what was said", (fact, plain), **_rest_of_digest())
    assert digest_from_plain(unpack(pack(digest_to_plain(digest)))) == digest


def _rest_of_digest() -> dict[str, object]:
    filled = _filled(Digest)
    return {name: value for name, value in filled.items() if name != "summary"}


def test_a_notice_comes_back() -> None:
    notice = Notice("nearly full", 0.93, 17, 12.0, record_tokens=900, record_messages=7)
    assert notice_from_plain(unpack(pack(notice_to_plain(notice)))) == notice


@pytest.mark.parametrize("read", [digest_from_plain, ledger_from_plain, notice_from_plain])
@pytest.mark.parametrize("plain", [None, [], {}, {"unknown": 1}])
def test_a_plain_value_that_is_something_else_is_told(read: object, plain: object) -> None:
    if read is ledger_from_plain or plain != {}:
        with pytest.raises(StoreUnreadable):
            read(plain)  # type: ignore[operator]
