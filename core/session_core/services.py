"""What all sessions of one `Sessions` share: counter, rules, clock, and values computed once per message."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar
from weakref import WeakSet

from session_core.advisers import Index, LateClassifier
from session_core.classify import RuleClassifier
from session_core.compress.plan_cache import MAX_FINGERPRINTS, PlanCache, PlanContext
from session_core.counting.tokens import TokenCounter, message_tokens
from session_core.errors import ConfigError, named_type
from session_core.events import Event
from session_core.facts import without_author_name
from session_core.language.quoting import RECALLED, speaker_name
from session_core.outputs.clip import clip
from session_core.passages.reading import Reading, read
from session_core.plan import GiveWay, never_pause
from session_core.policy import Policy
from session_core.ports import Classifier, Embedder
from session_core.recall.corrections import Corrections
from session_core.retrieval.digest_vectors import DigestVectors
from session_core.retrieval.lexicon import Lexicon
from session_core.retrieval.vectors import Vectors
from session_core.runtime.ids import fresh_id
from session_core.runtime.offload import BUSY_TOKENS, Executor, Slices, inline, inline_serially
from session_core.serial.cache import BoundedCache
from session_core.serial.codec import body_digest
from session_core.turns import GIVEN_ID, Importance, Message, Role

MAX_CACHED_PASSAGES = 40_000
"""Capacity of the cache of passages."""
Clock = Callable[[], float]
T = TypeVar("T")
_IMPORTANCES = {importance.value: importance for importance in Importance}
HEAD_TOKENS = 64
"""Maximum tokens of the line before a recalled text, and of the message around it."""
MAX_CACHED_CONTENTS = 8_192
"""Capacity of the cache of contents' figures; a full cache is cleared."""


class ActiveCalls:
    """Counts the views and appends in progress in this process, so that background folds can wait for a pause."""

    _idle: threading.Event | None

    def __init__(self) -> None:
        self.reset()
        _instances.add(self)

    def reset(self) -> None:
        """Reset the count: calls in progress at a fork belong to the parent."""
        self.active = 0
        self._lock = threading.Lock()
        self._idle = None

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` seconds until none is in progress; returns whether that happened. For one thread at
        a time.

        Also False if the next call started before this thread could continue.
        """
        with self._lock:
            if not self.active:
                return True
            ended = self._idle = threading.Event()
        return ended.wait(timeout_s) and not self.active

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count a call within the block: it does long work that folds need not wait for.

        When folds did wait for it, a series of questions left no pause, and views had to fold by themselves.
        """
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def __enter__(self) -> None:
        with self._lock:
            self.active += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.active -= 1
            if self._idle is not None and not self.active:
                self._idle.set()
                self._idle = None


_instances: WeakSet[ActiveCalls] = WeakSet()


def _reset_after_fork() -> None:
    for calls in _instances:
        calls.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


Figures = tuple[int, str, str | None, int]
"""The cached figures of a content: tokens, importance, clip if any, and tokens of the clip.

A plain tuple: thousands are cached, and Python's garbage collector skips tuples of strings and numbers.
"""


@dataclass(frozen=True, slots=True)
class Services:
    """What all sessions of one `Sessions` share: policy, counter, rules, clock, and observers."""

    policy: Policy
    emit: Callable[[Event], None] = field(default=lambda _: None)
    clock: Clock = field(default=time.time)
    embedder: Embedder | None = field(default=None)
    index: Index | None = field(default=None)
    figures_cache: dict[bytes, Figures] = field(default_factory=dict)
    corrections: Corrections = field(default_factory=Corrections)
    lexicon: Lexicon = field(default_factory=Lexicon)
    digest_vectors: DigestVectors = field(default_factory=DigestVectors)
    vectors: Vectors = field(default_factory=Vectors)
    calls: ActiveCalls = field(default_factory=ActiveCalls)
    executor: Executor = field(default=inline)
    serial_executor: Executor = field(default=inline_serially)
    plan_cache: PlanCache = field(default_factory=PlanCache)
    reading_cache: BoundedCache[Reading] = field(default_factory=lambda: BoundedCache[Reading](MAX_CACHED_PASSAGES))
    name_cache: BoundedCache[tuple[Message, Message]] = field(
        default_factory=lambda: BoundedCache[tuple[Message, Message]](MAX_FINGERPRINTS)
    )
    slices: Slices = field(init=False)
    counter: TokenCounter = field(init=False)
    plan_context: PlanContext = field(init=False)
    classifier: Classifier = field(init=False)

    def __post_init__(self) -> None:
        counter, calls = self.policy.counting(), self.calls
        object.__setattr__(self, "slices", Slices(lambda: calls.active))
        object.__setattr__(self, "counter", counter)
        object.__setattr__(
            self, "plan_context", PlanContext(counter.count, self.measure, self.policy.limits, self.plan_cache)
        )
        given = self.policy.classifier
        quick = given if given is not None and not isinstance(given, LateClassifier) else RuleClassifier()
        object.__setattr__(self, "classifier", quick)

    def read(self, message: Message) -> Reading:
        """The passages of a message, cached."""
        made_of = (message.role, message.content, message.tool_calls)
        known = self.reading_cache.known(made_of)
        if known is None:
            made = read(message, self.counter.count)
            known = self.reading_cache.put(made_of, made, size=len(made.passages) + 1)
        return known

    def with_author_name(self, message: Message) -> Message:
        """A user's message with its author's name before it, as views show it in sessions with several users.

        Cached, so that the same message gives the same object and plans recognize it.
        """
        if message.role is not Role.USER or not message.author or not message.content:
            return message
        size = 1 + len(message.content) // 4096
        return self.name_cache.get(id(message), lambda: (message, self._with_name(message)), size=size)[1]

    def without_author_name(self, message: Message) -> Message:
        """The message without the name that `with_author_name` put before it. Cached likewise, since other caches have
        that object as their key."""
        if message.rendition != "named":
            return message
        size = 1 + len(message.content) // 4096
        return self.name_cache.get(id(message), lambda: (message, without_author_name(message)), size=size)[1]

    def _with_name(self, message: Message) -> Message:
        content = f"{speaker_name(message.author or '')}: {message.content}"
        named = replace(message, content=content, rendition="named")
        return replace(named, tokens=self.measure(named))

    def measure(self, message: Message) -> int:
        """Tokens of a message as a provider counts it."""
        return message_tokens(message, self.counter)

    async def offload(self, work: Callable[[], T], *, tokens: int) -> T:
        """The result of `work`, run off the event loop if it reads more than `BUSY_TOKENS` tokens."""
        return work() if tokens <= BUSY_TOKENS else await self.executor(work)

    async def offload_each(self, work: Callable[[Message], T], messages: Sequence[Message]) -> list[T]:
        """As `offload`, for the results of `work` on each of `messages`."""
        tokens = sum(message.tokens for message in messages)
        return await self.offload(lambda: list(map(work, messages)), tokens=tokens)

    def yielding(self, tokens: int) -> GiveWay:
        """What work for a question calls between its parts; short work, which may be on an event loop, goes on."""
        return never_pause if tokens <= BUSY_TOKENS else self.slices.give_way

    async def offload_search(self, work: Callable[[], T], *, tokens: int) -> T:
        """As `offload`, for a question."""
        return work() if tokens <= BUSY_TOKENS else await self.serial_executor(work)

    async def prepare_all(self, messages: Sequence[Message]) -> list[Message]:
        """Each message as `prepare` returns it; for many or large ones, run off the event loop."""
        characters = sum([len(message.content) for message in messages])
        return await self.offload(lambda: [self.prepare(message) for message in messages], tokens=characters // 4)

    def prepare(self, message: Message) -> Message:
        """The message with id, time, tokens and importance, and a clip if it is a large tool output."""
        name = message.id or f"{GIVEN_ID}{fresh_id()}"
        tokens, importance, clip_text, clip_tokens = self._figures(message, name)
        return message.with_figures(
            name,
            message.time_s if message.time_s is not None else self.clock(),
            tokens=tokens,
            importance=_IMPORTANCES[importance],
            clip=clip_text,
            clip_tokens=clip_tokens,
        )

    def _figures(self, message: Message, name: str) -> Figures:
        """The figures of a message called `name`, cached by content, since frameworks pass the same ones again and
        again.

        A clip names its message, so a tool output is also identified by its id; others by their author.
        """
        besides = name if message.role is Role.TOOL else message.author or ""
        content = body_digest(message) + besides.encode("utf-8", "surrogatepass")
        found = self.figures_cache.get(content)
        if found is None:
            if len(self.figures_cache) >= MAX_CACHED_CONTENTS:
                self.figures_cache.clear()
            # Our own rules do not use the id, and only a clip contains it.
            plain = message.role is not Role.TOOL and type(self.classifier) is RuleClassifier
            named = message if message.id or plain else replace(message, id=name)
            found = self.figures_cache[content] = self._compute_figures(named)
        return found

    def _classify(self, message: Message) -> str:
        judged = self.classifier.classify(message)
        try:
            return Importance(judged).value
        except ValueError:
            raise ConfigError(
                f"the classifier {type(self.classifier).__name__} judged a message by {named_type(judged)} that "
                f"is none of {', '.join(Importance)}; nothing was written: have it return an Importance"
            ) from None

    def _compute_figures(self, message: Message) -> Figures:
        tokens = self.measure(message)
        importance = self._classify(message)
        most = self.policy.tool_output_tokens
        if message.role is not Role.TOOL or tokens <= most:
            return tokens, importance, None, 0
        # A recalled page is never longer; an output that only imitates one is clipped as usual.
        if message.content.startswith(RECALLED) and tokens <= self.policy.limits.page_tokens + HEAD_TOKENS:
            return tokens, importance, None, 0
        count = self.counter.count
        shorter = clip(message.content, max_tokens=most, count=count, reference=message.id)
        if shorter is None:
            return tokens, importance, None, 0
        clipped = replace(message, content=shorter.text, aside="", media=())
        return tokens, importance, shorter.text, self.measure(clipped)
