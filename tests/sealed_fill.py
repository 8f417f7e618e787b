"""A session that holds one of each kind of value, all with a secret in it; and keys."""

from __future__ import annotations

import base64
from dataclasses import replace

from session_core.events import Notice
from session_core.plan import Digest, Fact, FactKind
from session_core.ports import Checkpoint, Marks, MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import terms
from session_core.stores.keyring import Keyring
from session_core.testing import KEY, message
from session_core.turns import Importance, Key, Media, Message, Native, Role, ToolCall

OLD, NEW = b"o" * 32, b"n" * 32
RING = Keyring({"k1": OLD})
BOTH = Keyring({"k2": NEW, "k1": OLD})
ALONE = Keyring({"k2": NEW}, match_key=RING.match_key)
SECRET = "periwinkle"

CALL = Message(
    Role.ASSISTANT,
    f"{SECRET} spoken",
    id="c1",
    tool_calls=(ToolCall("t1", f"{SECRET}_tool", f'{{"{SECRET}": 1}}'),),
    media=(Media("image", f"data:{SECRET}", "image/png"),),
    aside=f"{SECRET} aside",
    native=Native(f"{SECRET}/1", SECRET.encode(), b"note " + SECRET.encode()),
    tokens=12,
)
RESULT = Message(
    Role.TOOL,
    f"{SECRET} result " * 300,
    id="r1",
    tool_call_id="t1",
    name=f"{SECRET}_tool",
    clip=f"{SECRET} clip",
    clip_tokens=3,
    tokens=900,
    importance=Importance.DISCARD,
    time_s=3.0,
)
SAID = Message(Role.USER, f"{SECRET} asked \x00 \ud800", id="u1", author=f"{SECRET} Smith", tokens=5, time_s=2.0)
PENDING = replace(RESULT, id="r2", content=f"{SECRET} pending", author=f"{SECRET} Robot")
FACT = Fact(FactKind.RULE, f"{SECRET} rule", seq=1, author=f"{SECRET} Smith", slot=SECRET)
NOTICE = Notice(f"{SECRET} notice", 0.9, 1, 5.0)
SECRET_VALUE = Plain(f"{SECRET}-type", SECRET.encode())


def checkpoint_of(key: Key) -> Checkpoint:
    return Checkpoint(key, "1", None, SECRET_VALUE, {"messages": 1, "other": 1, "é": "ü"}, run_id="a run")


async def fill_with_secrets(store: SessionStore, key: Key = KEY) -> None:
    await store.append(key, [SAID, CALL, RESULT])
    await store.put_digest(key, Digest(Ranges.span(1, 1), f"{SECRET} summary", (FACT,)), expected=0)
    await store.mark(key, Marks(notice=NOTICE))
    values = {"messages": MessageList((SAID, CALL, RESULT)), "other": SECRET_VALUE, "é": SECRET_VALUE}
    await store.put_checkpoint(checkpoint_of(key), values, head_channel="messages", merge=True)
    pending = MessageList((PENDING,), single=True)
    await store.put_writes(key, "1", [Write("tâche", 0, "messages", pending), Write("tâche", 1, "other", SECRET_VALUE)])
    # Its checkpoint is still to come.
    await store.put_writes(key, "é", [Write("task", -1, "other", SECRET_VALUE)])
    await store.append(key, [message(9, content=f"{SECRET} marmalade")])


async def check_secrets(store: SessionStore, key: Key = KEY) -> None:
    said, call, result, _ = await store.record(key)
    assert said == replace(SAID, seq=1)
    assert call == replace(CALL, seq=2)
    assert result == replace(RESULT, seq=3)
    loaded = await store.load(key)
    assert loaded.digest is not None
    assert (loaded.digest.summary, loaded.digest.facts) == (f"{SECRET} summary", (FACT,))
    assert loaded.state.ledger.authors == (f"{SECRET} Smith",)
    assert await store.notices(key) == (NOTICE,)
    found = await store.checkpoint(key, "1")
    assert found is not None
    assert found.body == checkpoint_of(key).body
    assert (found.values["other"], found.values["é"]) == (SECRET_VALUE, SECRET_VALUE)
    listed = await store.checkpoints(key.tenant, key.session_id, key.namespace)
    filled = await store.fill(listed[0])
    assert filled == found
    assert _pending(filled) == [(PENDING.content, PENDING.author)]
    assert filled.writes[1].value == SECRET_VALUE
    assert [m.id for m in await store.search(key, terms("marmalade"), max_hits=1)] == ["m9"]


def _pending(found: Checkpoint) -> list[tuple[str, str | None]]:
    value = found.writes[0].value
    assert isinstance(value, MessageList)
    return [(item.content, item.author) for item in value.items if isinstance(item, Message)]


def forms_of(text: str) -> list[bytes]:
    """`text` as bytes, in hexadecimal, and in base64 wherever it may begin."""
    plain = text.encode()
    return [plain, plain.hex().encode(), *(_base64(plain, shift) for shift in range(3))]


def _base64(plain: bytes, shift: int) -> bytes:
    """The signs of base64 that `plain` alone decides when `shift` bytes stand before it."""
    return base64.b64encode(b" " * shift + plain)[-(-8 * shift // 6) : 8 * (shift + len(plain)) // 6]
