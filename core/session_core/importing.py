"""Import into a session: messages from elsewhere, in order and only once, however often it is repeated."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from typing import TypeVar

from session_core.append_args import AppendArgument
from session_core.budget import Tier
from session_core.errors import Diverged, DuplicateMessage, InputError, NotFound
from session_core.logs import logger
from session_core.ports import Store
from session_core.ranges import Ranges
from session_core.serial.codec import DIGEST_BYTES, body_digest
from session_core.session import Flow
from session_core.sessions import Session
from session_core.transcripts import message_from_plain
from session_core.turns import GIVEN_ID, Key, Message, Role
from session_core.voices import run_blocking

NOTES = "~moved-in"
"""The namespace of a session that stores the progress of its import; it is deleted with the session."""

BATCH_MESSAGES = 256
BATCH_CHARACTERS = 4_000_000
"""Maximum size of a batch, which is written in one call; a single message may be larger."""

_TOLD = 5
"""How many of several errors are described in one."""

M = TypeVar("M")
_Ask = Callable[[Key, Tier], Awaitable[None]]


def import_messages(session: Session, messages: Iterable[AppendArgument]) -> int:
    """Store `messages` in `session`, in order and in bounded batches; returns how many were new.

    They are all messages of a source: ours, or dicts such as `Session.export` returns. A repeated call continues where
    the last one ended and adds what is new. Messages without an id get a reproducible one; messages that occur twice
    are stored twice. Raises: Diverged if the source no longer begins with what was imported; InputError and subclasses
    for a message that no session accepts, after the batches before it were stored.
    """

    async def ask(key: Key, tier: Tier) -> None:
        session.sessions.ask_fold(key, tier)

    return run_blocking(_import(session, session.flow, session.sessions.store, ask, messages))


async def aimport_messages(session: Session, messages: Iterable[AppendArgument]) -> int:
    """Async form of `import_messages`."""
    sessions = session.sessions
    return await _import(session, session.aflow, sessions.awaited, sessions.aask_fold, messages)


async def _import(session: Session, flow: Flow, store: Store, ask: _Ask, messages: Iterable[AppendArgument]) -> int:
    key = session.key
    said = with_ids(one if isinstance(one, Message) else message_from_plain(one) for one in messages)
    beside = replace(key, namespace=NOTES)
    prints = _fingerprints(said)
    done = await _resume_point(store, beside, prints, key)
    new = 0
    for batch in in_batches(said[done:], _characters):
        new += await _append_batch(flow, batch, ask)
        done += len(batch)
        note = Message(Role.ASSISTANT, json.dumps([done, prints[done]]), id=f"{GIVEN_ID}{done}-{prints[done]}")
        await store.append(beside, [session.sessions.services.prepare(note)])
    logger.info("session %s: %d of %d messages were imported, the others were there", key, new, len(said))
    return new


async def _append_batch(flow: Flow, batch: Sequence[Message], ask: _Ask) -> int:
    try:
        appended, fold = await flow.append(batch, lenient=True)
    except DuplicateMessage as exc:
        raise DuplicateMessage(
            f"{exc}: here the session and the imported conversation differ; import it into a session of its own"
        ) from exc
    if fold:
        await ask(flow.key, fold)
    return appended.new


async def _resume_point(store: Store, beside: Key, prints: Sequence[str], key: Key) -> int:
    """How many messages of the source were imported already. Raises: Diverged."""
    state = await store.state(beside)
    if state is None or not state.head:
        return 0
    (note,) = await store.record(beside, Ranges.span(state.head.last, state.head.last))
    count, fingerprint = json.loads(note.content)
    if count < len(prints) and prints[count] == fingerprint:
        return int(count)
    raise Diverged(
        f"session {key}: {count} messages were moved in, and its source, with {len(prints) - 1} now, no longer begins "
        "with them; nothing was written: move it into a session of another name, or delete this one first"
    )


class RefusedConversations:
    """Imports several conversations one after another; an error of one does not stop the others."""

    def __init__(self) -> None:
        self._count = 0
        self._refused: list[Diverged | InputError | NotFound] = []

    @contextmanager
    def one(self) -> Iterator[None]:
        """A context for the import of one of them."""
        self._count += 1
        try:
            yield
        except (Diverged, InputError, NotFound) as exc:
            self._refused.append(exc)

    def tell(self) -> None:
        """Raises the first error, with the next few in its text; does nothing if there was none."""
        if not self._refused:
            return
        first, count = self._refused[0], len(self._refused)
        if self._count == 1:
            raise first
        shown = "; ".join(map(str, self._refused[:_TOLD]))
        left_out = f"; and {count - _TOLD} more" if count > _TOLD else ""
        raise type(first)(f"{count} of {self._count} were refused, the others were moved: {shown}{left_out}") from first


def with_ids(messages: Iterable[Message]) -> list[Message]:
    """`messages` with unique ids.

    A message without an id, or with the id of an earlier one, gets one derived from its content and the number of equal
    messages before it, so that repeated imports give the same.
    """
    taken: set[str] = set()
    said: Counter[bytes] = Counter()
    named: list[Message] = []
    for message in messages:
        digest = body_digest(message)
        if not message.id or message.id in taken:
            message = replace(message, id=stable_id(digest, said[digest]))
        said[digest] += 1
        taken.add(message.id)
        named.append(message)
    return named


def stable_id(digest: bytes, before: int, place: str = "") -> str:
    """The id of a message with this content and `before` equal messages before it (in `place`)."""
    return f"{GIVEN_ID}{blake2b(digest + f'{before}{place}'.encode(), digest_size=DIGEST_BYTES).hexdigest()}"


def in_batches(items: Iterable[M], characters: Callable[[M], int]) -> Iterator[list[M]]:
    """`items` in lists of bounded size."""
    batch: list[M] = []
    size = 0
    for item in items:
        weight = characters(item)
        if batch and (len(batch) == BATCH_MESSAGES or size + weight > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch


def missing(said: Sequence[M], there: Sequence[M], words: Callable[[M], object], *, where: str) -> Sequence[M]:
    """The messages of `said` that are not `there` yet, compared by the result of `words`. Raises: Diverged."""
    if [words(message) for message in said[: len(there)]] == [words(message) for message in there]:
        return said[len(there) :]
    raise Diverged(
        f"{where} has messages that the session does not begin with; nothing was written: clear it, or export to an "
        "empty one"
    )


def _fingerprints(messages: Sequence[Message]) -> list[str]:
    """Hashes of all prefixes of the messages, by their length."""
    prints = [""]
    for message in messages:
        own = (prints[-1] + message.id).encode("utf-8", "surrogatepass")
        prints.append(blake2b(own + body_digest(message), digest_size=DIGEST_BYTES).hexdigest())
    return prints


def _characters(message: Message) -> int:
    texts = [message.content, message.aside, *(media.data for media in message.media)]
    native = len(message.native.data) if message.native else 0
    return sum(map(len, texts)) + sum(len(call.arguments) for call in message.tool_calls) + native
