"""What commands print of a run: columns, sizes, curves and tables, and whether promises were kept."""

from __future__ import annotations

import pytest

from session_core import Budget
from session_core.budget import Tier
from session_core.cli.checks import Kept, told
from session_core.cli.journal import Journal, Turn, tier_changes
from session_core.cli.report import MOST_ROWS, curves, table
from session_core.cli.terminal import columns, size, spark
from session_core.events import Folded, TierChanged
from session_core.turns import Key


def test_columns_are_aligned() -> None:
    lines = columns(("name", "count", "note"), [("a", "1,000", "x"), ("long name", "2", "")])
    assert lines == ["name       count  note", "a          1,000  x", "long name      2"]


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (2_000_000, "2.0 MB"), (3_200_000_000, "3.2 GB")],
)
def test_sizes_are_human_readable(count: int, words: str) -> None:
    assert size(count) == words


def test_a_curve_never_hides_its_peak() -> None:
    assert spark([0, 0, 100, 0, 0, 0], top=100, width=3) == "▁█▁"
    assert spark([], top=100, width=3) == ""
    assert spark([0, 0], top=0, width=3) == "▁▁"


def test_a_turn_has_the_highest_tier_that_it_reached() -> None:
    journal = Journal(Key("s"), Budget(16_000))
    for before, after in ((Tier.NORMAL, Tier.NOTIFY), (Tier.NOTIFY, Tier.SUMMARIZE)):
        journal.observe(TierChanged(Key("s"), before, after, 1.0))
    journal.observe(TierChanged(Key("another"), Tier.NORMAL, Tier.FACTS, 1.0))
    journal.observe(Folded(Key("s"), 1, 4, 900, 300, 0.1, 4, "extractive"))
    first = journal.close_turn(Turn(record_tokens=10, view_tokens=5))
    second = journal.close_turn(Turn(record_tokens=20, view_tokens=5))
    assert (first.tier, first.folds) == (Tier.NOTIFY, 1)
    assert (second.tier, second.folds) == (Tier.SUMMARIZE, 0)
    assert tier_changes([first, second]) == [first, second]


def test_a_long_table_says_how_many_turns_it_leaves_out() -> None:
    journal = Journal(Key("s"), Budget(16_000))
    journal.turns = [Turn(number * 100, 1_000, number) for number in range(1, 1_001)]
    lines = table(journal)
    rows = [line for line in lines[1:] if not line.startswith("(")]
    assert len(rows) <= MOST_ROWS
    assert f"({1_000 - len(rows)} more turns are not shown)" in lines
    assert rows[-1].split()[0] == "1000"


def test_curves_fit_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    journal = Journal(Key("s"), Budget(16_000))
    journal.turns = [Turn(number * 100, 1_000, number, store_bytes=500) for number in range(1, 1_001)]
    journal.without_bytes = [5_000] * 1_000
    assert max(map(len, curves(journal))) <= 100
    assert any(line.startswith("SqliteSaver") for line in curves(journal))


def test_a_failed_check_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert told([Kept("one", True), Kept("two", False)]) == 1
    assert "BROKEN  two" in capsys.readouterr().out
    assert told([Kept("one", True)]) == 0
