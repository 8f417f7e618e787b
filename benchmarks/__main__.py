"""Run every benchmark, or those named: python -m benchmarks [storage] [view]."""

from __future__ import annotations

import sys

from benchmarks import storage, view

ALL = {"storage": storage.main, "view": view.main}


def main() -> None:
    """Run what was named, in order."""
    for name in sys.argv[1:] or ALL:
        print(f"\n$ python -m benchmarks {name}")
        ALL[name]()


if __name__ == "__main__":
    main()
