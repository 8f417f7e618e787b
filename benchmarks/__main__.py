"""Run every benchmark, or those named: python -m benchmarks [redis] [postgres] ... [options of quality, named last]"""

from __future__ import annotations

import logging
import sys
import time
from importlib import import_module
from itertools import takewhile

MODULES = {
    "storage": "storage",
    "view": "view",
    "pasted": "pasted",
    "redis": "redis_store",
    "postgres": "postgres_store",
    "load": "load",
    "savers": "savers",
    "writers": "writers",
    "hybrid": "hybrid_store",
    "quality": "quality",
}
"""The module that each benchmark is in, by its name."""
ALL = ("storage", "view", "pasted", "redis", "postgres", "hybrid", "load", "savers", "writers", "quality")
WITH_OPTIONS = ("quality",)


def main() -> None:
    """Run what was named, in order; what begins with a dash, and all behind it, are options of the last one."""
    names = list(takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    options = sys.argv[1 + len(names) :]
    unknown = [name for name in names if name not in MODULES]
    if unknown or (not names and options in (["-h"], ["--help"])):
        wrong = f"there is no benchmark {', '.join(unknown)}. " if unknown else ""
        raise SystemExit(f"{wrong}{__doc__}\nThere are: {', '.join(ALL)}")
    if options and (not names or names[-1] not in WITH_OPTIONS):
        raise SystemExit(f"{' '.join(options)}: only {', '.join(WITH_OPTIONS)} takes options, and is named last")
    # Drivers and rivals that tell each step at INFO would stand between the tables.
    logging.disable(logging.INFO)
    for place, name in enumerate(names or ALL, start=1):
        given = options if place == len(names) else []
        print(f"\n$ python -m benchmarks {' '.join([name, *given])}", flush=True)
        began = time.perf_counter()
        module = import_module(f"benchmarks.{MODULES[name]}")
        if given:
            module.main(given)
        else:
            module.main()
        print(f"({time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
