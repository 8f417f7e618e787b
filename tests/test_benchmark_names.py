"""What `python -m benchmarks` says when nothing can run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("nonsense", "there is no benchmark nonsense. Run every benchmark, or those named"),
        ("--help", "There are: storage, view, "),
        ("redis --jobs 2", "--jobs 2: only quality takes options"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(asked: str, said: str) -> None:
    command = [sys.executable, "-m", "benchmarks", *asked.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
