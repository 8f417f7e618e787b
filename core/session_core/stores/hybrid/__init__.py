"""Sessions in a durable store, with a cache in front that serves views."""

from session_core.stores.hybrid.store import HybridStore

__all__ = ["HybridStore"]
