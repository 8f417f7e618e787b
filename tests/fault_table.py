"""What the fault tests found, as figures: kept while they run, printed as a table.

LLM_SESSIONS_FAULTS=faults.jsonl pytest tests/test_faults.py ...    # as often as you like
python tests/fault_table.py faults.jsonl
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

VARIABLE = "LLM_SESSIONS_FAULTS"


def tell(fault: str, **figures: int) -> None:
    """Keep the figures of one run of `fault`, if anybody wants them."""
    if VARIABLE in os.environ:
        with Path(os.environ[VARIABLE]).open("a") as file:
            file.write(json.dumps({"fault": fault, **figures}) + "\n")


def table(lines: list[str]) -> str:
    """The figures summed up by fault, in the order in which they first came."""
    sums: dict[str, dict[str, int]] = {}
    for line in lines:
        told = json.loads(line)
        figures = sums.setdefault(told.pop("fault"), defaultdict(int))
        figures["runs"] += 1
        for name, figure in told.items():
            figures[name] += figure
    columns = ("runs", "faults", "raised", "acknowledged", "found")
    rows = [("fault", *columns), ("---",) * (len(columns) + 1)]
    rows += [(fault, *(f"{figures[name]:,}" for name in columns)) for fault, figures in sums.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1]).read_text().splitlines()) + "\n")
