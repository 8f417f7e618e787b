"""Run every benchmark, or those named: python -m benchmarks [redis] [postgres] ..."""

from __future__ import annotations

import sys
import time
from importlib import import_module

MODULES = {
    "storage": "storage",
    "view": "view",
    "redis": "redis_store",
    "postgres": "postgres_store",
    "load": "load",
    "savers": "savers",
    "writers": "writers",
    "hybrid": "hybrid_store",
}
"""The module that each benchmark is in, by its name."""
ALL = ("storage", "view", "redis", "postgres", "hybrid", "load", "savers", "writers")


def main() -> None:
    """Run what was named, in order."""
    for name in sys.argv[1:] or ALL:
        print(f"\n$ python -m benchmarks {name}", flush=True)
        began = time.perf_counter()
        import_module(f"benchmarks.{MODULES[name]}").main()
        print(f"({time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
