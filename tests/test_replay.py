"""`llm-sessions replay`: a transcript turn by turn, every view within its budget, every word on record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from session_core import Sessions
from session_core.cli import main, replay
from session_core.plan import View

PNG = b"\x89PNG\r\n\x1a\n"
TURNS = 200


def conversation(turns: int) -> list[dict[str, Any]]:
    """A user with one rule and many questions, and an assistant that looks things up."""
    said: list[dict[str, Any]] = [
        {"role": "system", "content": "You keep the books of a harbour."},
        {"role": "user", "content": "From now on, never mention the berth of the Aurora."},
        {"role": "assistant", "content": "Understood."},
    ]
    for number in range(2, turns + 1):
        call = {"name": "ledger", "arguments": json.dumps({"day": number})}
        rows = "\n".join(f"{number:03d},{row},crane {row % 7},{row * number % 97} t" for row in range(60))
        said += [
            {"role": "user", "content": f"What was moved on day {number}?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": f"call_{number}", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": f"call_{number}", "content": f"day,row,crane,weight\n{rows}"},
            {"role": "assistant", "content": f"On day {number} sixty lots were moved."},
        ]
    return said


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "harbour.jsonl"
    path.write_text("\n".join(map(json.dumps, conversation(TURNS))), encoding="utf-8")
    return path


def test_two_hundred_turns_are_replayed_with_every_promise_kept(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["replay", str(file), "--window", "8000", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"turn  {TURNS} of {TURNS}" in said
    assert "BROKEN" not in said
    assert said.count("kept  ") == 2
    assert (out / "replay.png").read_bytes().startswith(PNG)


def test_what_is_replayed_into_a_store_can_be_looked_at(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'replayed.db'}"
    assert main(["replay", str(file), "--window", "8000", "--url", url]) == 0
    with Sessions(url) as sessions:
        record = sessions.session("harbour").record()
    assert [message.content for message in record] == [one["content"] or "" for one in conversation(TURNS)]
    capsys.readouterr()
    assert main(["show", "harbour", "--view", "--window", "8000", "--url", url]) == 0
    assert "never mention the berth of the Aurora" in capsys.readouterr().out


def test_a_session_is_not_replayed_into_itself_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "short.json"
    file.write_text(json.dumps(conversation(3)), encoding="utf-8")
    command = ["replay", str(file), "--url", f"sqlite:///{tmp_path / 'twice.db'}"]
    assert main(command) == 0
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--tenant", "second"]) == 0


def test_a_corrupt_line_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[17] = lines[17][:-5]
    file.write_text("\n".join(lines), encoding="utf-8")
    assert main(["replay", str(file)]) == 2
    said = capsys.readouterr().err
    assert "line 18" in said
    assert said.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "none.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_of_several_conversations_each_is_told_and_the_longest_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "two.jsonl"
    whole = [{"id": "brief", "messages": conversation(2)}, {"id": "long", "messages": conversation(12)}]
    file.write_text("\n".join(map(json.dumps, whole)), encoding="utf-8")
    assert main(["replay", str(file)]) == 0
    said = capsys.readouterr().out
    assert "session long" in said
    assert "session brief" not in said
    assert said.count("kept  ") == 4


def test_a_transcript_of_an_assistant_alone_is_a_turn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hello.json"
    file.write_text(json.dumps([{"role": "assistant", "content": "Hello?"}]), encoding="utf-8")
    assert main(["replay", str(file)]) == 0
    assert "BROKEN" not in capsys.readouterr().out


def test_a_window_that_is_too_small_is_said_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(file), "--window", "40"]) == 2
    assert "at least 48" in capsys.readouterr().err


def test_a_view_over_its_budget_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "short.json"
    file.write_text(json.dumps(conversation(3)), encoding="utf-8")
    taken = replay.Session.view

    def too_large(session: replay.Session) -> View:
        view = taken(session)
        return View(view.messages, 10**6, view.tier, view.report)

    monkeypatch.setattr(replay.Session, "view", too_large)
    assert main(["replay", str(file)]) == 1
    assert "BROKEN  short: no view is over its budget" in capsys.readouterr().out


def test_without_matplotlib_there_is_a_line_instead_of_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "short.json"
    file.write_text(json.dumps(conversation(3)), encoding="utf-8")
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    assert main(["replay", str(file), "--out", str(tmp_path)]) == 0
    assert "no picture: matplotlib is not installed" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_told_before_the_replay(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    assert main(["replay", str(file), "--out", str(taken)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "cannot be used" in said.err
    assert said.err.count("\n") == 1


def test_a_picture_that_cannot_be_written_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "short.json"
    file.write_text(json.dumps(conversation(3)), encoding="utf-8")
    (tmp_path / "replay.png").mkdir()
    assert main(["replay", str(file), "--out", str(tmp_path)]) == 0
    assert "no picture: " in capsys.readouterr().out
