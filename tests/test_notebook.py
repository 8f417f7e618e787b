"""The notebook as a reader runs it: a real kernel of this interpreter, an empty folder, no way to the network."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "01_tour.ipynb"
NOWHERE = "http://127.0.0.1:9"


class ThisInterpreter(AsyncKernelManager):
    """Starts kernels with the interpreter that runs the tests, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="tests", language="python")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The cells after the whole notebook ran, by their ids."""
    home = tmp_path_factory.mktemp("reader")
    env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    env |= {"IPYTHONDIR": str(home / "ipython"), "MPLCONFIGDIR": str(home / "matplotlib")}
    book = nbformat.read(NOTEBOOK, as_version=4)
    # Over sockets in a folder, with a short path as those need it: ports that are chosen before the kernel starts may
    # be taken when it does.
    with TemporaryDirectory(prefix="kernel-") as folder:
        kernel = ThisInterpreter(transport="ipc", connection_file=f"{folder}/at.json")
        settings = {"timeout": 90, "iopub_timeout": 60, "resources": {"metadata": {"path": str(home)}}}
        NotebookClient(book, km=kernel, **settings).execute(env=env, cleanup_kc=True)
    return {cell.id: cell for cell in book.cells}


def _printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def _shown(cell: Any, mime: str) -> str:
    return "".join(output.data.get(mime, "") for output in cell.outputs if "data" in output)


def test_the_notebook_is_kept_without_outputs() -> None:
    book = nbformat.read(NOTEBOOK, as_version=4)
    ran = [cell.id for cell in book.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
    assert ran == []


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
