"""Sessions on a plain Redis server: core commands and Lua only, no modules; also Valkey, Sentinel and Cluster."""
