"""`llm-sessions demo`: a real, shorter run keeps every promise, and a broken one is noticed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from session_core import Message, Role, ToolCall
from session_core.cli import demo, main
from session_core.demo.mind import LOST, Call, reply
from session_core.demo.tools import MOST_LINES, Folder
from session_core.demo.user import BUDGET, CORRECTION, OPENING, PROMISES, RECALL, Promise, questions

ROOT = Path(__file__).resolve().parents[1]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small project, large enough to fill a small window several times."""
    root = tmp_path / "project"
    (root / "docs").mkdir(parents=True)
    for name in ("ferry", "harbour", "crane", "ledger"):
        body = "\n\n".join(
            f'def {name}_{n}(x):\n    """Do part {n} of the {name}."""\n    return x + {n}' for n in range(60)
        )
        (root / f"{name}.py").write_text(
            f'"""All about the {name}."""\n\n\nclass {name.title()}:\n    """It."""\n\n\n{body}\n'
        )
    (root / "docs" / "guide.md").write_text("# A guide\n\n" + "The harbour opens at six.\n" * 200)
    (root / "settings.json").write_text(json.dumps({"ports": list(range(300)), "name": "harbour"}))
    (root / "picture.bin").write_bytes(b"\x00\x01\x02" * 100)
    return root


def test_a_short_run_keeps_every_promise(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = ["demo", "--folder", str(folder), "--turns", "20", "--window", "8000", "--out", str(out)]
    assert main(command) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "BROKEN" not in said
    assert said.count("\nkept  ") == 4 + len(PROMISES)
    assert "25 of 25 answers are those of a model that reads everything" in said
    assert "SqliteSaver   █" in said
    assert (out / "demo.png").read_bytes().startswith(PNG)
    assert sorted(path.name for path in out.iterdir()) == ["demo.db", "demo.png"]


def test_what_the_demo_leaves_can_be_looked_at(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["demo", "--folder", str(folder), "--turns", "9", "--no-baseline", "--out", str(out)]) == 0
    assert "SqliteSaver: not measured" in capsys.readouterr().out
    assert main(["show", "demo", "--view", "--url", f"sqlite:///{out / 'demo.db'}"]) == 0
    assert OPENING[0] in capsys.readouterr().out


def test_a_fact_that_is_nowhere_in_the_last_view_ends_with_1(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "PROMISES", (Promise("the moon", "a word that nobody said"),))
    command = ["demo", "--folder", str(folder), "--turns", "9", "--no-baseline", "--out", str(tmp_path / "out")]
    assert main(command) == 1
    assert "BROKEN  the moon is in the last view" in capsys.readouterr().out


def test_without_the_frameworks_the_demo_says_what_to_install(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['langgraph.graph'] = None; "
    code = hide + f"from session_core.cli import main; sys.exit(main(['demo', '--out', {str(tmp_path)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("pip install 'llm-sessions[demo]'\n")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--folder", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_the_agent_is_written_without_any_knowledge_of_us() -> None:
    source = (ROOT / "langchain_session" / "demo" / "agent.py").read_text(encoding="utf-8")
    assert "session" not in source.lower()


def test_the_default_script_is_long_and_calls_many_tools() -> None:
    folder = Folder(ROOT)
    asked = questions(folder, 60)
    assert len(asked) == 60
    assert len(set(asked)) > 45
    assert sum(len(reply([Message(Role.USER, question)]).calls) for question in asked) > 75


@pytest.mark.parametrize("turns", [1, 9, 10, 11, 12, 40])
def test_every_script_states_the_facts_and_asks_for_them_at_the_end(folder: Path, turns: int) -> None:
    asked = questions(Folder(folder), turns)
    assert len(asked) == max(9, turns)
    assert tuple(asked[: len(OPENING)]) == OPENING
    assert asked.count(CORRECTION) == 1
    assert tuple(asked[-len(RECALL) :]) == RECALL


def test_a_script_for_an_empty_folder_asks_all_the_same(tmp_path: Path) -> None:
    assert len(questions(Folder(tmp_path), 30)) == 30


def test_the_stand_in_knows_only_what_it_is_given() -> None:
    asks = Message(Role.USER, RECALL[0])
    assert reply([asks]).text == LOST
    assert reply([Message(Role.USER, OPENING[2]), asks]).text == "The budget is 4,800 EUR."
    assert reply([Message(Role.ASSISTANT, OPENING[2]), asks]).text == LOST
    told = [Message(Role.USER, OPENING[2]), Message(Role.USER, CORRECTION)]
    assert reply([*told, asks]).text == f"The budget is {BUDGET}."


def test_the_stand_in_answers_from_the_tool_outputs_it_sees() -> None:
    asks = Message(Role.USER, "Which files are here?")
    assert reply([asks]).calls == (Call("list_files"),)
    called = Message(Role.ASSISTANT, "", tool_calls=(ToolCall("c", "list_files"),))
    seen = [asks, called, Message(Role.TOOL, "7 files, 90 bytes, largest a.py; 7 .py", tool_call_id="c")]
    assert reply(seen).text == "There are 7 files; the largest is a.py."
    ruled = reply([Message(Role.USER, OPENING[1]), *seen])
    assert ruled.text == "There are 7 files; the largest is a.py. (From a.py.)"
    lost = [asks, called, Message(Role.TOOL, "[clipped]", tool_call_id="c")]
    assert "unknown" in reply(lost).text


def test_the_stand_in_knows_what_it_searched_for_when_the_outline_is_clipped() -> None:
    seen = [
        Message(Role.USER, "What does a.py define, and who uses it?"),
        Message(Role.ASSISTANT, "", tool_calls=(ToolCall("1", "outline"), ToolCall("2", "read_file"))),
        Message(Role.TOOL, "a.py: 0 classes, 9 functions", tool_call_id="1"),
        Message(Role.TOOL, "a.py: lines 1-9 of 9", tool_call_id="2"),
        Message(Role.ASSISTANT, "", tool_calls=(ToolCall("3", "search_text"),)),
        Message(Role.TOOL, "3 matches for 'server' in 2 files, most in a.py", tool_call_id="3"),
    ]
    assert "server: 3 matches in 2 files." in reply(seen).text


def test_the_tools_tell_what_is_in_the_folder(folder: Path) -> None:
    tools = Folder(folder)
    assert tools.list_files().startswith("7 files, ")
    assert tools.search_text("opens at six").startswith(
        "200 matches for 'opens at six' in 1 files, most in docs/guide.md"
    )
    assert "(140 more matches not shown)" in tools.search_text("opens at six")
    assert tools.read_file("docs/guide.md", 2).splitlines()[0] == "docs/guide.md: lines 2-203 of 203"
    assert tools.read_file("ferry.py").splitlines()[0] == f"ferry.py: lines 1-{MOST_LINES} of 247"
    outline = json.loads(tools.outline("ferry.py"))
    assert (outline["classes"], outline["functions"]) == (1, 60)
    assert tools.read_data("settings.json").startswith("settings.json: top level ports, name\n")
    assert "Name: pip" in tools.show_package("pip")


def test_the_tools_stay_inside_their_folder(folder: Path) -> None:
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    tools = Folder(folder)
    for path in ("../secret.txt", "link.txt", str(folder.parent / "secret.txt")):
        assert tools.read_file(path) == f"no file {path!r} here"
    assert "link.txt" not in tools.list_files()
    assert tools.search_text("secret").startswith("0 matches")


@pytest.mark.parametrize(
    ("tool", "argument", "answer"),
    [
        ("list_files", "none", "no folder 'none' here"),
        ("read_file", "none.py", "no file 'none.py' here"),
        ("outline", "settings.json", ""),
        ("outline", "docs/guide.md", "docs/guide.md is not Python"),
        ("read_data", "ferry.py", "ferry.py cannot be parsed"),
    ],
)
def test_a_tool_that_cannot_do_it_says_so(folder: Path, tool: str, argument: str, answer: str) -> None:
    assert getattr(Folder(folder), tool)(argument).startswith(answer)


def test_a_folder_without_git_has_no_log_and_one_without_commits_says_so(folder: Path) -> None:
    tools = Folder(folder)
    assert "is not a git checkout" in tools.git_log()
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    assert tools.git_log() == "this checkout has no commits yet"


def test_the_size_of_a_database_counts_what_is_still_in_its_journal(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (?)", ("x" * 100_000,))
    connection.commit()
    assert demo.database_bytes(file) > 100_000
    connection.close()
