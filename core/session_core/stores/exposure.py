"""Settings of a store's server that can lose data, for any store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from session_core.ports import Store


@dataclass(frozen=True, slots=True)
class Risk:
    """A setting of a server that may lose what is stored there: what it is, what it means, and the mend."""

    what: str
    means: str
    mend: str


class Exposed(Protocol):
    """A store on a server whose settings may lose what is acknowledged, and that can tell."""

    async def risks(self) -> tuple[Risk, ...]:
        """What of the server's settings is a risk as it is set now; nothing for a sound one."""
        ...


async def risks_of(store: Store) -> tuple[Risk, ...]:
    """The risks that `store` tells of; nothing where it cannot tell."""
    return await cast(Exposed, store).risks() if hasattr(store, "risks") else ()
