"""redis-py's clients for a cluster, which also follow a slot that is being moved.

The node that a slot moves to has a part of its keys already, and the other one redirects calls for them there: each
has to follow an ASKING on the same connection.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import redis.asyncio.cluster
import redis.cluster

_Node: Any = redis.cluster.ClusterNode


class ClusterClient(redis.cluster.RedisCluster):
    """Knows the node it is redirected to also while that has no slot yet, as a new one; the driver's fails then."""

    def get_node(self, host: Any = None, port: Any = None, node_name: Any = None) -> Any:
        nodes: Any = self.nodes_manager
        found = nodes.get_node(host, port, node_name)
        if found is not None or node_name is None:
            return found
        return nodes.nodes_cache.setdefault(node_name, _Node(*_place(node_name), redis.cluster.PRIMARY))


class AwaitingClusterClient(redis.asyncio.cluster.RedisCluster):
    """As `ClusterClient`.

    The driver's takes the connection that was not used for longest, for ASKING and again for the call; here they share
    one.
    """

    def get_node(self, host: Any = None, port: Any = None, node_name: Any = None) -> Any:
        found = super().get_node(host, port, node_name)
        if node_name is None:
            return found
        if found is None:
            kind = redis.asyncio.cluster.ClusterNode
            made = kind(*_place(node_name), redis.cluster.PRIMARY, **self.nodes_manager.connection_kwargs)
            found = self.nodes_manager.nodes_cache.setdefault(node_name, made)
        if not isinstance(found._free, _NewestFirst):
            found._free = _NewestFirst(found._free, found.max_connections)
        return found


class _NewestFirst(deque[Any]):
    """Free connections, of which the one used last is taken first. Nothing else runs between two calls of a task, so
    it takes the same one for both."""

    def popleft(self) -> Any:
        return self.pop()


def _place(node_name: str) -> tuple[str, int]:
    host, _, port = node_name.rpartition(":")
    return host, int(port)
