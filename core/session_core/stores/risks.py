"""Settings and conditions of a store's server that can lose data or refuse it, for any store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from session_core.ports import Store


@dataclass(frozen=True, slots=True)
class Risk:
    """A setting or condition of a server that may lose data or refuse it: what it is, what it means, and the fix."""

    what: str
    means: str
    mend: str


class Exposed(Protocol):
    """A store on a server that has such risks, and can check them."""

    async def risks(self) -> tuple[Risk, ...]:
        """The risks at this moment; empty if there are none."""
        ...


async def risks_of(store: Store) -> tuple[Risk, ...]:
    """The risks that `store` reports; empty if it cannot."""
    return await cast(Exposed, store).risks() if hasattr(store, "risks") else ()
