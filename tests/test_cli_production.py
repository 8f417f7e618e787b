"""The command line where sessions really are: behind a password, behind a cache, and sealed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import postgres_server
from redis import Redis
from redis_server import redis_server

from session_core import Sessions
from session_core.cli import main
from session_core.errors import ConfigError
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.turns import Key
from session_core.voices import run_blocking

SAID = {"role": "user", "content": "The code of the gate is 4711."}
KEYS = f"k1:{base64.b64encode(bytes(range(32))).decode()}"
RING = Keyring({"k1": bytes(range(32))})


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """The URL of a server that asks for a password."""
    with redis_server(requirepass="hunter2") as server:
        yield server.url.replace("//", "//:hunter2@")


@pytest.fixture
def sealed(tmp_path: Path) -> str:
    """A database with a sealed session."""
    url = f"sqlite:///{tmp_path}/sealed.db"
    with Sessions(url, keyring=RING) as sessions:
        sessions.session("gate").append(SAID)
    return url


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The URL of a PostgreSQL that hides tenants from each other, as a role that it does so for."""
    with postgres_server() as server:
        with server.connect() as connection:
            connection.execute("CREATE ROLE app LOGIN")
            connection.execute("GRANT CREATE ON DATABASE postgres TO app")
        yield server.url.replace("//postgres:", "//app:") + "&rls=1"


@pytest.mark.parametrize("command", [["list"], ["show", "nobody"], ["export", "nobody"], ["delete", "nobody"]])
def test_the_password_of_a_url_is_never_shown(
    command: list[str], redis: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*command, "--tenant", "none", "--url", redis])
    captured = capsys.readouterr()
    assert "127.0.0.1" in captured.out + captured.err
    assert "hunter2" not in captured.out + captured.err


def test_a_hint_repeats_no_url_that_it_may_not_show_whole(redis: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "none", "--url", redis]) == 2
    assert capsys.readouterr().err.endswith("; see: llm-sessions list with the same --url\n")


@pytest.mark.parametrize("command", [["delete", "gate"], ["delete", "--older-than", "0"]], ids=["one", "idle"])
def test_what_is_deleted_is_gone_from_the_cache_too(command: list[str], redis: str, tmp_path: Path) -> None:
    cold = f"sqlite:///{tmp_path}/chat.db"
    with Sessions(hot=redis, cold=cold) as sessions:
        session = sessions.session("gate")
        session.append(SAID)
        assert session.view().messages
        assert main([*command, "--url", cold, "--hot", redis, "--yes"]) == 0
        assert session.view().messages == ()


def test_nothing_is_deleted_while_the_cache_is_unreachable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cold = f"sqlite:///{tmp_path}/chat.db"
    with Sessions(cold) as sessions:
        sessions.session("gate").append(SAID)
        assert main(["delete", "gate", "--url", cold, "--hot", "redis://:hunter2@127.0.0.1:1", "--yes"]) == 2
        assert len(sessions.session("gate").record()) == 1
    said = capsys.readouterr().err
    assert "nothing was changed" in said
    assert "hunter2" not in said


def test_the_cache_may_be_named_in_the_environment(redis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cold = f"sqlite:///{tmp_path}/chat.db"
    monkeypatch.setenv("LLM_SESSIONS_HOT_URL", redis)
    with Sessions(hot=redis, cold=cold) as sessions:
        session = sessions.session("gate")
        session.append(SAID)
        session.view()
        main(["delete", "gate", "--url", cold, "--yes"])
        assert session.view().messages == ()


@pytest.mark.parametrize("command", [["show", "gate"], ["show", "gate", "--view"], ["export", "gate"], ["export"]])
def test_sealed_sessions_are_read_with_the_keys_in_the_environment(
    command: list[str], sealed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLM_SESSIONS_KEYS", KEYS)
    assert main([*command, "--url", sealed]) == 0
    assert "4711" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["show", "gate"], ["export", "gate"], ["export"]])
def test_without_keys_sealed_sessions_are_not_shown_as_empty_ones(
    command: list[str], sealed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--url", sealed]) == 2
    captured = capsys.readouterr()
    assert "are encrypted; set LLM_SESSIONS_KEYS" in captured.err
    assert captured.out == ""


def test_keys_in_the_environment_do_not_hinder_reading_what_is_in_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url) as sessions:
        sessions.session("gate").append(SAID)
    monkeypatch.setenv("LLM_SESSIONS_KEYS", KEYS)
    assert main(["export", "gate", "--url", url]) == 0
    assert "4711" in capsys.readouterr().out


def test_what_is_imported_beside_sealed_sessions_is_sealed_or_refused(
    sealed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "more.jsonl"
    file.write_text(json.dumps(SAID), encoding="utf-8")
    assert main(["import", str(file), "--url", sealed]) == 2
    assert "set LLM_SESSIONS_KEYS" in capsys.readouterr().err
    monkeypatch.setenv("LLM_SESSIONS_KEYS", KEYS)
    assert main(["import", str(file), "--url", sealed]) == 0
    with Sessions(sealed, keyring=RING) as sessions:
        assert sessions.session("more").record()[0].content == SAID["content"]


def test_under_row_level_security_commands_need_a_tenant(guarded: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Sessions(guarded) as sessions:
        sessions.session("gate", tenant="acme").append(SAID)
    assert main(["show", "nobody", "--tenant", "acme", "--url", guarded]) == 2
    assert "no session acme/nobody" in capsys.readouterr().err
    assert main(["doctor", "--tenant", "acme", "--url", guarded]) == 0
    assert "holds 1 session of tenant acme" in capsys.readouterr().out
    assert main(["doctor", "--url", guarded]) == 2
    assert "name a tenant" in capsys.readouterr().err


def test_both_sides_of_a_hybrid_store_hold_what_is_sealed(tmp_path: Path) -> None:
    with Sessions(hot="memory://", cold=f"sqlite:///{tmp_path}/chat.db", keyring=RING) as sessions:
        session = sessions.session("gate")
        session.append(SAID)
        assert session.view().messages[0].content == SAID["content"]
    with Sessions(f"sqlite:///{tmp_path}/chat.db") as inside:
        assert run_blocking(inside.store.record(Key("gate")))[0].content == ""


def test_a_wrong_store_or_keyring_is_told_what_to_pass() -> None:
    with pytest.raises(ConfigError, match=r"Sessions\(url, keyring="):
        EncryptedStore("redis://h", RING)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"pass Keyring\.from_env"):
        EncryptedStore(MemoryStore(), KEYS)  # type: ignore[arg-type]


def test_an_export_without_a_tenant_is_of_everybody_and_comes_back_under_the_same_tenants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `delete --older-than` without a tenant is: what may be deleted at once can be kept at once before."""
    url, back, moved = (f"sqlite:///{tmp_path}/{name}.db" for name in ("chat", "back", "moved"))
    with Sessions(url) as sessions:
        for tenant in ("acme", "default", "zoo"):
            sessions.session("gate", tenant=tenant).append({"role": "user", "content": f"I am of {tenant}"})
    assert main(["export", "--url", url]) == 0
    file = tmp_path / "all.jsonl"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["import", str(file), "--url", back]) == 0
    with Sessions(back) as sessions:
        assert {state.key.tenant for state in sessions.list()} == {"acme", "default", "zoo"}
        for tenant in ("acme", "default", "zoo"):
            assert [m.content for m in sessions.session("gate", tenant=tenant).record()] == [f"I am of {tenant}"]
    capsys.readouterr()
    assert main(["export", "--tenant", "acme", "--url", url]) == 0
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["import", str(file), "--tenant", "other", "--url", moved]) == 0
    with Sessions(moved) as sessions:
        assert [state.key for state in sessions.list()] == [Key("gate", "other")]


def test_what_is_imported_for_a_sealed_tenant_of_a_file_is_sealed_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, file = f"sqlite:///{tmp_path}/chat.db", tmp_path / "more.jsonl"
    with Sessions(url, keyring=RING) as sessions:
        sessions.session("gate", tenant="acme").append(SAID)
    file.write_text(json.dumps({"tenant": "acme", "session_id": "s", "messages": [SAID]}), encoding="utf-8")
    assert main(["import", str(file), "--url", url]) == 2
    assert "set LLM_SESSIONS_KEYS" in capsys.readouterr().err


def test_a_session_that_the_server_evicted_in_part_hinders_no_export_no_import_and_no_deletion(
    redis: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{redis}/3"
    with Sessions(url) as sessions, Redis.from_url(url) as client:
        for name in ("before", "broken", "after"):
            sessions.session(name).append(SAID)
        sessions.session("broken").append(SAID)
        client.delete("llms:{default|broken}:m:")
    assert main(["export", "--url", url]) == 2
    captured = capsys.readouterr()
    assert {json.loads(line)["session_id"] for line in captured.out.splitlines()} == {"before", "after"}
    assert "1 session cannot be read" in captured.err
    assert "session broken is incomplete" in captured.err
    file = tmp_path / "more.jsonl"
    file.write_text(json.dumps(SAID), encoding="utf-8")
    assert main(["import", str(file), "--url", url]) == 0
    assert main(["delete", "broken", "--yes", "--url", url]) == 0
    assert main(["export", "--url", url]) == 0


def test_a_session_without_its_state_can_be_deleted(redis: str) -> None:
    url = f"{redis}/4"
    with Sessions(url) as sessions, Redis.from_url(url) as client:
        sessions.session("broken").append(SAID)
        client.delete("llms:{default|broken}:s:")
        assert main(["delete", "broken", "--url", url]) == 2
        assert main(["delete", "broken", "--yes", "--url", url]) == 0
        assert sessions.session("broken").record(all_branches=True) == []
