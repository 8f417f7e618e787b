"""Opening and closing of a `SessionSaver`: `with`, `close`, and a `setup` for compatibility."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from types import TracebackType
from typing import Self

from langgraph.checkpoint.base import BaseCheckpointSaver

from langchain_session.checkpointing.concurrency import ConcurrencyRule
from session_core import Sessions


class Lifetime(BaseCheckpointSaver[str]):
    """A saver that closes the sessions it opened itself, but not those passed in."""

    sessions: Sessions
    _opened: bool
    _rule: ConcurrencyRule

    def setup(self) -> Awaitable[None]:
        """Does nothing, awaited or not: a store is ready once open. For compatibility with savers that need it."""
        return _Done()

    def close(self) -> None:
        """Stop tracking runs, stop folding, and close the store unless `Sessions` were passed in."""
        self._rule.close()
        if self._opened:
            self.sessions.close()

    async def aclose(self) -> None:
        """Async form of `close`."""
        self._rule.close()
        if self._opened:
            await self.sessions.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Done:
    def __await__(self) -> Generator[None, None, None]:
        yield from ()
