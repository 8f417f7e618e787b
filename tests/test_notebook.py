"""The notebook as a reader runs it, and as one reads it on the page of a code host."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import nbformat
import pytest
from run_notebook import NOTEBOOK, ran

TOLD_ALIKE = ("grow", "search", "langchain", "langgraph", "llamaindex", "end")
"""The cells whose text has other numbers at most when folds and clips choose something else."""


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The cells after the whole notebook ran, by their ids."""
    return {cell.id: cell for cell in ran(tmp_path_factory.mktemp("reader")).cells}


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    """The cells as they are in the file, by their ids."""
    return {cell.id: cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells}


def _printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def _shown(cell: Any, mime: str) -> str:
    return "".join(output.data.get(mime, "") for output in cell.outputs if "data" in output)


def _kinds(cell: Any) -> list[tuple[str, list[str]]]:
    """What a cell shows, in order. A busy kernel sends what is printed in several parts, which count as one."""
    kinds = [(output.output_type, sorted(output.get("data", ()))) for output in cell.get("outputs", ())]
    return [kind for kind, _ in groupby(kinds)]


def _without_numbers(text: str) -> str:
    return re.sub(r"\d[\d,]*", "N", text)


def test_the_outputs_in_the_file_are_of_one_run_of_all_cells(kept: dict[str, Any]) -> None:
    counts = [cell.execution_count for cell in kept.values() if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_the_outputs_in_the_file_are_those_of_its_cells(kept: dict[str, Any], cells: dict[str, Any]) -> None:
    rerun = "run: make notebook"
    assert {name: _kinds(cell) for name, cell in kept.items()} == {
        name: _kinds(cell) for name, cell in cells.items()
    }, rerun
    for name in TOLD_ALIKE:
        assert _without_numbers(_printed(kept[name])) == _without_numbers(_printed(cells[name])), rerun


def test_the_file_is_small_enough_to_be_reviewed() -> None:
    assert NOTEBOOK.stat().st_size < 100_000


def test_no_cell_writes_an_error_or_a_warning(cells: dict[str, Any]) -> None:
    outputs = [output for cell in cells.values() for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []


def test_a_session_shows_its_budget_and_thresholds(cells: dict[str, Any]) -> None:
    shown = _shown(cells["stands"], "text/html")
    assert re.search(r"[\d,]+ of 3,000 tokens \(\d+%\), tier \w+", shown)
    assert all(mark in shown for mark in ("summarize 60%", "facts 80%", "notify 90%"))


def test_a_session_shows_its_turns_and_what_is_folded(cells: dict[str, Any]) -> None:
    shown = _shown(cells["stands"], "text/html")
    assert "timeline of 44 turns" in shown
    assert re.search(r"folded: \d+ messages of [\d,]+ tokens are shown in views as a digest of \d+", shown)


def test_a_session_shows_the_facts_it_keeps(cells: dict[str, Any]) -> None:
    shown = _shown(cells["stands"], "text/html")
    assert "Never send us anything with nuts" in shown
    assert "2,100 EUR" in shown


def test_the_view_stays_under_the_limit_while_the_record_grows(cells: dict[str, Any]) -> None:
    record, _, most = re.findall(r"[\d,]+(?= tokens| in the view|\n)", _printed(cells["grow"]))
    assert int(record.replace(",", "")) > 15_000
    assert int(most.replace(",", "")) <= 3_000


def test_the_picture_is_drawn(cells: dict[str, Any]) -> None:
    assert len(_shown(cells["picture"], "image/png")) > 2_000


def test_the_view_is_explained(cells: dict[str, Any]) -> None:
    assert "<b>View</b>" in _shown(cells["view"], "text/html")
    assert re.search(r"1-\d+ +fold .* digest \d+", _printed(cells["explain"]))


def test_what_was_folded_is_found_again(cells: dict[str, Any]) -> None:
    assert "message 2: I am Dana of Birch Bakery, account BB-4471." in _printed(cells["search"])


def test_a_clip_names_its_reference_and_expands_to_the_whole(cells: dict[str, Any]) -> None:
    told = _printed(cells["expand"])
    assert re.search(r"whole: ref \S+\]", told)
    assert "with 60 rows." in told


def test_blocking_calls_work_in_the_running_loop_and_agree_with_awaited_ones(cells: dict[str, Any]) -> None:
    assert "both voices agree: True" in _printed(cells["await"])
    assert "account BB-4471" in _printed(cells["await"])


def test_langchain_gets_the_view_and_adds_to_the_record(cells: dict[str, Any]) -> None:
    given, record = re.findall(r"\d+", _printed(cells["langchain"]))
    assert int(given) < 20
    assert int(record) == 5 + 80 + 20 + 1 + 2


def test_a_langgraph_run_gets_the_view_and_get_state_the_record(cells: dict[str, Any]) -> None:
    record, most = re.findall(r"\d+", _printed(cells["langgraph"]))
    assert int(record) == 60
    assert int(most) < 60


def test_llamaindex_keeps_all_and_reads_little(cells: dict[str, Any]) -> None:
    record, given = re.findall(r"\d+", _printed(cells["llamaindex"]))
    assert int(record) == 24
    assert 0 < int(given) < 24


def test_one_store_holds_the_sessions_of_all_three(cells: dict[str, Any]) -> None:
    assert re.findall(r"bakery/(\S+):", _printed(cells["end"])) == ["chat-5", "research-3", "order-17"]
