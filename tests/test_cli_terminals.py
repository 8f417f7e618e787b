"""The command line on terminals and pipes that are not what one would like: no UTF-8, names and texts with control
characters, narrow screens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from session_core import Sessions
from session_core.cli import main
from session_core.cli.terminal import columns, visible

CLEAR = "\x1b[2J"
SAID = f"Grüße 漢字 😀 {CLEAR}\x9b31m \u202egnp.exe \r\nnext\tline"
NAME = f"mine{CLEAR}\nyours"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with a session whose name and message want to command the terminal."""
    place = f"sqlite:///{tmp_path}/chat.db"
    with Sessions(place) as sessions:
        sessions.session(NAME).append({"role": "user", "content": SAID})
    return place


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["show", NAME],
        ["show", NAME, "--view"],
        ["show", NAME, "--explain"],
        ["doctor"],
        ["delete", NAME, "--dry-run"],
        ["delete", "--older-than", "0", "--dry-run"],
    ],
    ids=" ".join,
)
def test_no_name_and_no_message_commands_the_terminal(
    command: list[str], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--url", url]) == 0
    assert not set(capsys.readouterr().out) & set("\x1b\x9b\r\u202e")


def test_a_line_of_the_list_is_one_session(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "--url", url])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_text_is_shown_as_it_is_but_for_orders_to_the_terminal() -> None:
    assert visible(SAID) == "Grüße 漢字 😀 \\x1b[2J\\x9b31m \\u202egnp.exe \nnext\tline"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_an_export_is_word_for_word_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    """Windows, cron and old locales do not write UTF-8 into files."""
    said = f"{SAID} half of a pair: \ud83d"
    url = f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url) as sessions:
        sessions.session("s").append({"role": "user", "content": said})
    exported = _run(["export", "s", "--url", url], encoding)
    assert json.loads(exported.decode(encoding))["content"] == said


def test_one_long_name_does_not_widen_all_lines() -> None:
    lines = columns(("session", "tokens"), [("x" * 512, "1"), ("y", "2")])
    assert max(map(len, (lines[0], lines[2]))) < 80


def _run(command: list[str], encoding: str) -> bytes:
    script = "import sys; from session_core.cli import main; sys.exit(main())"
    # Not all of the environment is passed on: it may name another encoding.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-c", script, *command],
        env=environment | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    return done.stdout
