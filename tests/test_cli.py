"""The command line: what it shows, what it leaves alone, and how it says what is wrong."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_sessions import SAID, filled

from session_core import Budget, Message, Policy, Role, Sessions
from session_core.cli import main
from session_core.serial.chat_shape import chat_message

FULL = Path("/dev/full")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return filled(tmp_path)


def test_list_names_every_session_with_its_figures(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--url", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].split()[2:6] == ["messages", "tokens", "digests", "unfolded"]
    (trip,) = [line.split() for line in lines if line.startswith("trip ")]
    assert trip[1:3] == ["default", "5"]
    assert trip[-2:] == ["2023-11-14", "22:13:20Z"]


def test_list_of_a_tenant_shows_no_other_one(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--url", url, "--tenant", "acme"]) == 0
    out = capsys.readouterr().out
    assert "other" in out
    assert "trip" not in out


def test_the_url_may_come_from_the_environment(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLM_SESSIONS_URL", url)
    assert main(["list"]) == 0
    assert "trip" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["list"], ["show", "trip"], ["export", "trip"], ["doctor"]])
def test_inspecting_a_missing_database_is_an_error_and_creates_none(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--url", f"sqlite:///{tmp_path / 'none.db'}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("llm-sessions: no database at ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [("mongodb://host/db", "is not a store URL"), ("sqlite://", "names no file"), ("sqlite:///{file}", "SQLite")],
)
def test_a_file_that_is_no_database_gives_one_line_and_no_traceback(
    url: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.db"
    file.write_text("no database, only words\n" * 100)
    assert main(["list", "--url", url.replace("{file}", str(file))]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_show_lists_the_record_a_line_a_message(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "trip", "--url", url]) == 0
    out = capsys.readouterr().out
    assert "5 messages in 1 turn," in out
    assert "authors   Ada" in out
    assert "Find a ferry for two. With a cabin." in out
    assert 'search({"query":"ferry"})' in out


def test_show_view_prints_what_a_model_would_be_sent(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "trip", "--url", url, "--view", "--window", "1200"]) == 0
    out = capsys.readouterr().out
    assert "view: " in out
    assert "Find a ferry for two.\nWith a cabin." in out
    assert out.count("line of a timetable") < 400
    assert "tool (4, clip" in out


@pytest.mark.parametrize("window", ["8000", "8,000", "8_000"])
def test_a_window_may_be_written_as_reports_write_it(window: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "trip", "--view", "--window", window, "--url", url]) == 0
    assert "of 7,000 tokens" in capsys.readouterr().out


def test_a_replay_of_an_empty_file_says_that_it_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").write_text(" \n")
    assert main(["replay", str(tmp_path / "empty.jsonl")]) == 2
    assert "empty.jsonl: it is empty; a transcript is a JSON list of messages" in capsys.readouterr().err


def test_a_replay_of_one_message_speaks_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.jsonl").write_text('{"role": "user", "content": "Hello"}')
    assert main(["replay", str(tmp_path / "one.jsonl")]) == 0
    assert "every message unchanged (1 message)" in capsys.readouterr().out


@pytest.mark.parametrize("module", ["session_core.cli.command", "session_core.sessions"])
def test_ctrl_c_while_the_command_is_being_loaded_shows_no_traceback(module: str) -> None:
    code = f"""
import sys

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC())
from session_core.cli import main
sys.exit(main(["list"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "llm-sessions: interrupted\n")


def test_a_window_of_words_is_told_what_it_must_be(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--window", "8k", "--url", url])
    assert "--window: must be a whole number, 1 or more" in capsys.readouterr().err


def test_show_explain_says_why_each_part_stands_as_it_does(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "trip", "--url", url, "--explain"]) == 0
    out = capsys.readouterr().out
    assert "system message" in out
    assert "recent" in out


def test_show_with_a_query_brings_back_what_bears_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'long.db'}"
    with Sessions(url, policy=Policy(Budget(2_000), folding="inline")) as sessions:
        session = sessions.session("long")
        session.append([Message(Role.USER, "hm"), Message(Role.ASSISTANT, "The zeppelin hangar is in Friedrichshafen")])
        for number in range(60):
            session.append(
                [Message(Role.USER, f"Go on with part {number}."), Message(Role.ASSISTANT, "words and words " * 20)]
            )
    assert main(["show", "long", "--url", url, "--window", "2000", "--query", "zeppelin hangar"]) == 0
    assert "--- user (recall" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [["list"], ["show", "trip"], ["show", "trip", "--view", "--window", "1200"], ["export", "trip"], ["doctor"]],
    ids=" ".join,
)
def test_inspecting_a_store_writes_nothing(url: str, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    def everything() -> object:
        with Sessions(url) as sessions:
            return sessions.list(), sessions.session("trip").record(), sessions.session("trip").notices()

    before = everything()
    assert main([*command, "--url", url]) == 0
    assert everything() == before


@pytest.mark.parametrize("command", ["show", "export", "delete"])
def test_an_unknown_session_is_an_error_that_names_it(
    command: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "nobody", "--url", url]) == 2
    assert "no session nobody" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="the shell of this system cannot close it")
@pytest.mark.parametrize("command", ["list", "show trip", "doctor", "delete trip --yes"])
def test_a_script_that_closed_its_output_gets_the_exit_code(command: str, url: str) -> None:
    code = f"import sys; from session_core.cli import main; sys.exit(main({[*command.split(), '--url', url]!r}))"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, code], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_reports_its_findings_and_exits_with_1_for_problems(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--url", url]) == 0
    assert "2 sessions" in capsys.readouterr().out
    assert main(["doctor", "--url", url, "--window", "1200"]) == 1
    assert "trip" in capsys.readouterr().out


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "export"])
def test_a_tenant_without_sessions_is_named(command: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--url", url, "--tenant", "nobody"]) == 0
    said = capsys.readouterr()
    assert "no sessions of tenant nobody in sqlite:///" in said.out + said.err


def test_a_directory_in_the_place_of_a_database_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--url", f"sqlite:///{tmp_path}"]) == 2
    assert "is a directory; name a file in it" in capsys.readouterr().err


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("command", [["export"], ["list"], ["doctor"], ["show", "trip"]])
def test_a_full_output_device_gives_one_line(command: list[str], url: str) -> None:
    code = f"import sys; from session_core.cli import main; sys.exit(main({[*command, '--url', url]!r}))"
    with FULL.open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("llm-sessions: ")
    assert done.stderr.count("\n") == 1


def test_a_folder_without_permission_gives_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def shut(path: Path, *, follow_symlinks: bool = True) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    # For root no folder is shut.
    monkeypatch.setattr(Path, "stat", shut)
    assert main(["list", "--url", f"sqlite:///{tmp_path}/shut/chat.db"]) == 2
    assert "cannot be opened" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error(url: str) -> None:
    code = f"import sys; from session_core.cli import main; sys.exit(main(['export', 'trip', '--url', {url!r}]))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_the_doctor_finds_a_damaged_database(tmp_path, capsys):
    path = tmp_path / "chat.db"
    with Sessions(f"sqlite:///{path}") as sessions:
        for turn in range(200):
            sessions.session("s").append({"role": "user", "content": f"words {turn} " * 60})
    with path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 4)
    assert main(["doctor", "--url", f"sqlite:///{path}"]) == 1
    told = capsys.readouterr().out
    assert "PROBLEM  the store is damaged: " in told
    assert "No problems found" not in told


def test_what_a_damaged_database_still_has_is_exported_and_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sessions("sqlite:///chat.db") as sessions:
        for name in ("first", "second"):
            sessions.session(name).append([{"role": "user", "content": f"{name} {n} " * 60} for n in range(200)])
    with Path("chat.db").open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 4)
    assert main(["export", "--url", "sqlite:///chat.db"]) == 2
    told = capsys.readouterr()
    assert "session first" in told.err
    Path("rescued.jsonl").write_text(told.out, encoding="utf-8")
    assert main(["import", "rescued.jsonl", "--url", "sqlite:///new.db"]) == 0
    with Sessions("sqlite:///new.db") as sessions:
        assert [(state.key.session_id, len(state.head)) for state in sessions.list()] == [("second", 200)]


@pytest.mark.parametrize("command", [["show"], ["delete", "--yes"], ["export"]])
def test_who_names_a_tenant_is_pointed_to_no_other_one(
    command: list[str], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command[0], "other", "--tenant", "globex", "--url", url, *command[1:]]) == 2
    told = capsys.readouterr().err
    assert f"no session globex/other in {url}; see: llm-sessions list --url {url}" in told
    assert "acme" not in told


def test_the_error_names_the_other_tenant_that_has_the_session(tmp_path, capsys):
    with Sessions(f"sqlite:///{tmp_path}/chat.db") as sessions:
        sessions.session("s", tenant="acme").append({"role": "user", "content": "hi"})
    assert main(["show", "s", "--url", f"sqlite:///{tmp_path}/chat.db"]) == 2
    assert "--tenant acme" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "lines"), [("list", 0), ("export", 0), ("doctor", 0), ("import", 1)])
def test_only_commands_that_count_tokens_report_a_missing_table(command: str, lines: int, url: str, tmp_path: Path):
    file = tmp_path / "said.jsonl"
    file.write_text(json.dumps(chat_message(SAID[0])))
    argv = [command, *([str(file)] if command == "import" else []), "--url", url]
    code = (
        "import session_core.counting.tokens as tokens; tokens.table = lambda encoding: None\n"
        f"from session_core.cli import main; main({argv!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = done.stderr.splitlines()
    assert len(told) == lines
    assert all(line.startswith("llm-sessions: no token table") for line in told)
