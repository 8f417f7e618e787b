"""What a checkpoint for an inner saver is put with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointMetadata

from langchain_session.graph_state.listing import is_whole_in
from langchain_session.graph_state.threads import BASE, BORN, DOUBT, FORK, GONE, RUNTIME, key_of, notes_of
from session_core.ports import Lease, Version
from session_core.ranges import Ranges
from session_core.turns import Key


@dataclass(frozen=True, slots=True)
class InnerPut:
    """A checkpoint to store: its parent, whether a run or someone else puts it, and what its list was derived from.

    `began` says that the run received a view; `doubt` names a row of ours whose checkpoint was missing at that time.
    """

    key: Key
    id: str
    parent_id: str | None
    run: bool
    began: bool
    fork: bool
    doubt: str | None
    version: Version | None
    base: Ranges
    hidden: Ranges
    born: str | None
    gone: bool
    whole: bool
    lease: Lease | None = None

    @classmethod
    def of(cls, config: RunnableConfig, name: str, metadata: CheckpointMetadata, tenant: str) -> Self:
        names, notes = config["configurable"], notes_of(config)
        version, base, hidden = notes.get(BASE, (None, (), ()))
        return cls(
            key_of(config, tenant),
            name,
            names.get("checkpoint_id"),
            run=RUNTIME in names or BASE in notes,
            began=BASE in notes,
            doubt=notes.get(DOUBT),
            fork=FORK in notes or metadata.get("source") == "fork",
            version=version,
            base=Ranges.from_pairs(base),
            hidden=Ranges.from_pairs(hidden),
            born=notes.get(BORN),
            gone=GONE in notes,
            whole=is_whole_in(notes),
        )
