"""Commands that take sessions out and in, delete them, or give them a new key."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cli_sessions import SAID, filled

from session_core import Media, Message, Role, Sessions
from session_core.cli import main
from session_core.serial.chat_shape import chat_message
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.open import open_store
from session_core.transcripts import read
from session_core.turns import Key
from session_core.voices import run_blocking


@pytest.fixture
def url(tmp_path: Path) -> str:
    return filled(tmp_path)


def test_an_import_that_ends_with_the_reader_of_its_output_says_that_it_is_not_complete(tmp_path: Path) -> None:
    """`import all.jsonl | head` stores the first ones only, and the shell shows the exit code of `head`."""
    file = tmp_path / "all.jsonl"
    file.write_text(
        "".join(f'{{"session_id": "s{n}", "messages": [{{"role": "user", "content": "Hi"}}]}}\n' for n in range(9))
    )
    command = ["import", str(file), "--url", f"sqlite:///{tmp_path}/chat.db"]
    code = f"import sys; from session_core.cli import main; sys.exit(main({command}))"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 141
    assert (
        told == "llm-sessions: the reader of the output went away, and the command may not be complete: run it again\n"
    )


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


def test_every_exported_line_is_json(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "trip", "--url", url])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["role"] for line in lines] == ["system", "user", "assistant", "tool", "assistant"]
    assert lines[2]["content"] is None
    assert lines[3]["tool_call_id"] == "call-1"


def _words(message: Message) -> tuple[object, ...]:
    return (message.role, message.content, message.id, message.tool_calls, message.tool_call_id, message.author)
