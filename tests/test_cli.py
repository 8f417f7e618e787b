"""The command line: what it shows, what it leaves alone, and how it says what is wrong."""

from __future__ import annotations

import base64
import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from session_core import Budget, Media, Message, Policy, Role, Sessions, ToolCall
from session_core.budget import Tier
from session_core.cli import main
from session_core.cli.checks import Kept, told
from session_core.cli.journal import Journal, Turn, tier_changes
from session_core.cli.report import MOST_ROWS, curves, table
from session_core.cli.terminal import columns, size, spark
from session_core.events import Folded, TierChanged
from session_core.serial.chat_shape import chat_message
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.open import open_store
from session_core.transcripts import read
from session_core.turns import Key
from session_core.voices import run_blocking

FULL = Path("/dev/full")
CALL = ToolCall("call-1", "search", '{"query":"ferry"}')
SAID = [
    Message(Role.SYSTEM, "You plan trips.", id="m0"),
    Message(Role.USER, "Find a ferry for two.\nWith a cabin.", id="m1", author="Ada"),
    Message(Role.ASSISTANT, "", id="m2", tool_calls=(CALL,)),
    Message(Role.TOOL, "line of a timetable\n" * 400, id="m3", tool_call_id="call-1", name="search"),
    Message(Role.ASSISTANT, "The 08:15 has room.", id="m4"),
]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with two sessions of two tenants."""
    where = f"sqlite:///{tmp_path / 'chat.db'}"
    with Sessions(where, policy=Policy(folding="off"), clock=lambda: 1_700_000_000.0) as sessions:
        sessions.session("trip").append(SAID)
        sessions.session("other", tenant="acme").append(Message(Role.USER, "hello"))
    return where


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


def test_an_export_can_be_piped_into_an_import(url: str, tmp_path: Path) -> None:
    command, other = [sys.executable, "-c", "from session_core.cli import main; main()"], f"sqlite:///{tmp_path}/b.db"
    exported = subprocess.run([*command, "export", "--url", url], capture_output=True, check=True)
    done = subprocess.run(
        [*command, "import", "-", "--url", other], input=exported.stdout, capture_output=True, check=True
    )
    assert b"session trip: 5 new of 5 messages" in done.stdout


def test_standard_input_may_be_a_socket_as_over_ssh() -> None:
    command = [sys.executable, "-c", "from session_core.cli import main; main()", "replay", "-"]
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE) as replayed:
        ours.sendall(b'{"role": "user", "content": "Hello"}')
        ours.shutdown(socket.SHUT_WR)
        told, _ = replayed.communicate()
    assert b"stdin: the record has every message unchanged (1 message)" in told


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


def test_an_export_is_read_back_word_for_word(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "trip", "--url", url]) == 0
    file = tmp_path / "trip.jsonl"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    (transcript,) = read(file)
    assert [_words(message) for message in transcript.messages] == [_words(message) for message in SAID]


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (
            Media("image", "https://host/map.png"),
            {"type": "image_url", "image_url": {"url": "https://host/map.png"}},
        ),
        (
            Media("image", "aGk=", "image/jpeg"),
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,aGk="}},
        ),
        (
            Media("audio", "aGk=", "audio/mpeg"),
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        ),
        (
            Media("file", "aGk=", "application/pdf"),
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk="}},
        ),
    ],
)
def test_media_are_exported_in_the_shape_of_the_chat_api(media: Media, part: dict[str, object]) -> None:
    shaped = chat_message(Message(Role.USER, "look", media=(media,)))
    assert shaped["content"] == [{"type": "text", "text": "look"}, part]


def test_delete_asks_to_be_sure(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["delete", "trip", "--url", url]) == 2
    assert "--yes" in capsys.readouterr().err
    with Sessions(url) as sessions:
        assert len(sessions.session("trip").record()) == len(SAID)


def test_a_dry_run_of_delete_deletes_nothing_whatever_else_is_said(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["delete", "trip", "--url", url, "--yes", "--dry-run"]) == 0
    assert capsys.readouterr().out == "would delete session trip: 5 messages\n"
    with Sessions(url) as sessions:
        assert len(sessions.session("trip").record()) == len(SAID)


def test_delete_counts_what_list_counts_also_after_an_import(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "moved.jsonl"
    file.write_text('{"role": "user", "content": "Hello"}\n')
    main(["import", str(file), "--url", url])
    assert main(["delete", "moved", "--url", url, "--yes"]) == 0
    assert capsys.readouterr().out.endswith("deleted session moved: 1 message\n")


@pytest.mark.parametrize("command", [["delete", "trip"], ["delete", "--older-than", "0"], ["export"], ["show", "trip"]])
def test_a_tenant_from_a_variable_that_is_not_set_is_refused(
    command: list[str], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--tenant", "", "--url", url])
    assert ended.value.code == 2
    assert "--tenant: must not be empty" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="the shell of this system cannot close it")
@pytest.mark.parametrize("command", ["list", "show trip", "doctor", "delete trip --yes"])
def test_a_script_that_closed_its_output_gets_the_exit_code(command: str, url: str) -> None:
    code = f"import sys; from session_core.cli import main; sys.exit(main({[*command.split(), '--url', url]!r}))"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, code], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_delete_removes_the_session_and_no_other_one(url: str) -> None:
    assert main(["delete", "trip", "--url", url, "--yes"]) == 0
    with Sessions(url) as sessions:
        assert [state.key for state in sessions.list()] == [Key("other", "acme")]


def _keys(**keys: bytes) -> str:
    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in keys.items())


def test_rotate_seals_all_sessions_with_the_first_key_and_tells_what_it_could_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, one, two = f"sqlite:///{tmp_path}/sealed.db", b"1" * 32, b"2" * 32
    old = Keyring({"k1": one})
    sealed = EncryptedStore(open_store(url), old)
    for name in ("a", "b"):
        Sessions(sealed).session(name).append({"role": "user", "content": "hello"})
    monkeypatch.setenv("LLM_SESSIONS_KEYS", _keys(k2=two, k1=one))
    assert main(["rotate", "--url", url]) == 0
    assert "2 sessions; 2 values re-encrypted with key 'k2'" in capsys.readouterr().out
    assert main(["rotate", "--url", url]) == 0
    assert "no value is encrypted with an older key any more" in capsys.readouterr().out
    for name in ("ann@example.com", "bob@example.com"):
        Sessions(sealed).session(name).append({"role": "user", "content": "hello"})
    run_blocking(sealed.close())
    monkeypatch.setenv("LLM_SESSIONS_KEYS", _keys(k2=two))
    monkeypatch.setenv("LLM_SESSIONS_MATCH_KEY", base64.b64encode(old.match_key).decode())
    assert main(["rotate", "--url", url]) == 1
    told = capsys.readouterr().out
    assert "not rotated: 2 sessions: a message was sealed with key 'k1', which the keyring (k2) does not" in told
    assert "use --names to list them" in told
    assert "example.com" not in told
    assert main(["rotate", "--url", url, "--names"]) == 1
    assert "not rotated: session ann@example.com: a message was sealed with key 'k1'" in capsys.readouterr().out
    monkeypatch.delenv("LLM_SESSIONS_KEYS")
    assert main(["rotate", "--url", url]) == 2
    assert "LLM_SESSIONS_KEYS is not set" in capsys.readouterr().err


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
    first = journal.close_turn(record_tokens=10, view_tokens=5)
    second = journal.close_turn(record_tokens=20, view_tokens=5)
    assert (first.tier, first.folds) == (Tier.NOTIFY, 1)
    assert (second.tier, second.folds) == (Tier.SUMMARIZE, 0)
    assert tier_changes([first, second]) == [first, second]


def test_a_long_table_says_how_many_turns_it_leaves_out() -> None:
    journal = Journal(Key("s"), Budget(16_000))
    journal.turns = [Turn(number, number * 100, 1_000) for number in range(1, 1_001)]
    lines = table(journal)
    rows = [line for line in lines[1:] if not line.startswith("(")]
    assert len(rows) <= MOST_ROWS
    assert f"({1_000 - len(rows)} more turns are not shown)" in lines
    assert rows[-1].split()[0] == "1000"


def test_curves_fit_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    journal = Journal(Key("s"), Budget(16_000))
    journal.turns = [Turn(number, number * 100, 1_000, store_bytes=500) for number in range(1, 1_001)]
    journal.without_bytes = [5_000] * 1_000
    assert max(map(len, curves(journal))) <= 100
    assert any(line.startswith("SqliteSaver") for line in curves(journal))


def test_a_failed_check_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert told([Kept("one", True), Kept("two", False)]) == 1
    assert "BROKEN  two" in capsys.readouterr().out
    assert told([Kept("one", True)]) == 0


def test_every_exported_line_is_json(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "trip", "--url", url])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["role"] for line in lines] == ["system", "user", "assistant", "tool", "assistant"]
    assert lines[2]["content"] is None
    assert lines[3]["tool_call_id"] == "call-1"


def _words(message: Message) -> tuple[object, ...]:
    return (message.role, message.content, message.id, message.tool_calls, message.tool_call_id, message.author)


def test_the_doctor_finds_a_damaged_database(tmp_path, capsys):
    path = tmp_path / "chat.db"
    with Sessions(f"sqlite:///{path}") as sessions:
        for turn in range(200):
            sessions.session("s").append({"role": "user", "content": f"words {turn} " * 60})
    with path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 4)
    assert main(["doctor", "--url", f"sqlite:///{path}"]) == 1
    assert "damaged" in capsys.readouterr().out


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
