"""Sessions in the memory of this process."""

from session_core.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
