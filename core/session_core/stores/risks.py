"""Settings of a store's server that can lose data, for any store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from session_core.ports import Store


@dataclass(frozen=True, slots=True)
class Risk:
    """A server setting that may lose stored data: what it is, what it means, and the fix."""

    what: str
    means: str
    mend: str


class Exposed(Protocol):
    """A store on a server whose settings may lose acknowledged data, and that can check them."""

    async def risks(self) -> tuple[Risk, ...]:
        """The risky settings at this moment; empty if there are none."""
        ...


async def risks_of(store: Store) -> tuple[Risk, ...]:
    """The risks that `store` reports; empty if it cannot."""
    return await cast(Exposed, store).risks() if hasattr(store, "risks") else ()
