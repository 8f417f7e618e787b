"""The application of a worker process in tests: `llm-sessions worker --app worker_app:sessions`.

Its summarizer says in a folder that it began, and waits there until it may go on, so that a test can end the process
in the middle of a fold.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from worker_policy import policy_with

from session_core import Sessions
from session_core.events import Event, Folded
from session_core.ports import SummaryRequest

FOLDER = Path(os.environ["WORKER_APP_FOLDER"])


class Held:
    """Begins, waits for the file "go", and then leaves the summary to the rules."""

    name = "held"

    def summarize(self, request: SummaryRequest) -> str:
        begun = FOLDER / f"begun-{os.getpid()}-{time.monotonic_ns()}"
        begun.touch()
        while not (FOLDER / "go").exists():
            time.sleep(0.005)
        return ""


def folded(event: Event) -> None:
    """Tell the test of each fold."""
    if isinstance(event, Folded):
        told = {"session": event.key.session_id, "number": event.number, "lag_s": event.lag_s, "pid": os.getpid()}
        with (FOLDER / "folded").open("a") as file:
            file.write(json.dumps(told) + "\n")


sessions = Sessions(
    os.environ["WORKER_APP_URL"],
    fold_queue=os.environ["WORKER_APP_QUEUE"],
    policy=policy_with(Held()),
    on_event=folded,
)
