"""Run every benchmark, or those named: python -m benchmarks [storage] [view] ..."""

from __future__ import annotations

import sys
from importlib import import_module

ALL = {"storage": "storage", "view": "view", "redis": "redis_store", "postgres": "postgres_store", "load": "load"}
"""What is measured, by name, and the module that does it."""


def main() -> None:
    """Run what was named, in order."""
    for name in sys.argv[1:] or ALL:
        print(f"\n$ python -m benchmarks {name}", flush=True)
        import_module(f"benchmarks.{ALL[name]}").main()


if __name__ == "__main__":
    main()
