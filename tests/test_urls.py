"""URLs of stores as people write them: what is wrong is named with its mend, and no password is shown."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from session_core import Sessions
from session_core.cli import main
from session_core.errors import ConfigError, SessionError, UnknownScheme
from session_core.stores.open import open_cache, open_store
from session_core.stores.postgres.address import Address as PostgresAddress
from session_core.stores.redis.address import Address as RedisAddress
from session_core.stores.urls import shown_url
from session_core.voices import run_blocking

PASSWORD = "hunter2"
UNESCAPED = ("hunter2/x", "hunter2?x", "hunter2#x", "9#hunter2", "hunter2[x", "x@hunter2/y")
RAW = ("x@hunter2", "hunter2%zz", "hunter2 x", "hunter2%")


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+cluster", "redis+sentinel", "postgresql", "postgres"])
@pytest.mark.parametrize("written", [*UNESCAPED, *RAW])
def test_a_password_that_is_not_escaped_is_shown_nowhere(scheme: str, written: str) -> None:
    with pytest.raises(SessionError) as caught:
        open_store(f"{scheme}://me:{written}@127.0.0.1:1/db?max_connections=none")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value)).replace(__file__, "")


@pytest.mark.parametrize(
    ("scheme", "written"),
    [
        *[(scheme, one) for scheme in ("redis", "postgresql") for one in ("hunter2/x", "hunter2?x", "x@hunter2/y")],
        *[("postgresql", one) for one in RAW],
    ],
)
def test_the_error_says_what_to_escape(scheme: str, written: str) -> None:
    with pytest.raises(ConfigError, match="escape / as %2F"):
        open_store(f"{scheme}://me:{written}@127.0.0.1:1/db")


@pytest.mark.parametrize(
    "url", ["host=h password=hunter2", "mysql://me:hunter2@h/db", "mysql://h/db?password=hunter2", "hunter2"]
)
def test_what_is_no_url_of_a_store_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="is not a store URL; use one of") as caught:
        open_store(url)
    assert PASSWORD not in str(caught.value)


def test_a_password_with_a_raw_number_sign_is_for_libpq_to_read() -> None:
    made = PostgresAddress.parse("postgresql://me:hunter#2@h/db?schema=s1")
    assert "password=hunter#2" in made.conninfo
    assert (made.shown, made.schema) == ("postgresql://h/db", "s1")


@pytest.mark.parametrize("url", ["postgresql:///chats?host=/run/pg", "postgresql://?host=/run/pg&dbname=chats"])
def test_a_socket_needs_no_host_in_the_url(url: str) -> None:
    assert PostgresAddress.parse(url).conninfo.startswith("dbname=chats host=/run/pg ")


def test_options_are_not_shown() -> None:
    assert shown_url("postgresql://me:x@h:1/db?password=y") == "postgresql://h:1/db"
    assert shown_url("postgresql://h/db?password=y@z") == "postgresql://…"


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("redis://h?ssl_ca_certs=/ca.pem", "start the URL with rediss"),
        ("rediss://h?ssl_ca_certs=/nowhere/ca.pem", "is not a file"),
        ("rediss://h?ssl_cert_reqs=maybe", "required or optional or none"),
        ("redis://h?protocol=9", "use 2 or 3"),
        ("redis://h?socket_timeout=nan", "seconds over 0"),
        ("redis://h?socket_connect_timeout=-1", "seconds over 0"),
        ("redis://h?wait_s=nan", "wait_s must be over 0"),
        ("redis://h?client_name=my%20app", "without blanks"),
        ("redis://a,b", "redis\\+cluster://"),
        ("redis://h:99999", "a port 1 to 65535"),
        ("redis://h/-1", "a database is 0 or more"),
    ],
)
def test_what_a_driver_would_stumble_over_is_named_before_it_does(url: str, mend: str) -> None:
    with pytest.raises(ConfigError, match=mend):
        RedisAddress.parse(url)


def test_a_home_that_is_not_known_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user has neither a HOME nor an entry in /etc/passwd."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_000)
    with pytest.raises(UnknownScheme, match="set HOME, or write the full path"):
        open_store("sqlite:///~/chat.db")
    assert main(["list", "--url", "sqlite:///~/chat.db"]) == 2


@pytest.mark.parametrize("path", ["me@corp/chat.db", "[x/chat.db"])
def test_a_file_may_have_any_name(path: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("files") / path
    file.parent.mkdir()
    store = open_store(f"sqlite:///{file}")
    assert store.scheme == "sqlite"
    assert file.exists()


@pytest.mark.parametrize("url", ["", " \n"])
def test_an_empty_url_is_said_to_be_empty_and_what_to_pass(url: str) -> None:
    for opening in (lambda: Sessions(url), lambda: Sessions(hot=url, cold="memory://"), lambda: open_store(url)):
        with pytest.raises(ConfigError, match=r"is empty .*environment variable.*sqlite:///chat\.db"):
            opening()


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("postgresql+psycopg://me@h/db", "it is postgresql://"),
        ("postgres+asyncpg://me@h/db", "it is postgresql://"),
        ("jdbc:postgresql://h/db", "it is postgresql://"),
        ("pgsql://h/db", "it is postgresql://"),
        ("sqlite+aiosqlite:///chat.db", "it is sqlite:///"),
        ("valkey://h:6379/0", "redis://, with TLS rediss://"),
        ("unix:///run/redis.sock", "use host and port"),
        ("'redis://h:6379/0'", "remove the quotation marks"),
        ("postgresql://h/db?pool_size=5", "option 'pool_size' is not known"),
        ("postgresql://h/db?sslmode", "not written as name=value"),
        ("postgresql://127.0.0.1:abc/db", "correct it in the URL"),
        ("postgresql://127.0.0.1:1/db?sslmode=yes", "correct it in the URL"),
        ("postgresql://127.0.0.1:1/db?connect_timeout=5s", "correct it in the URL"),
        ("sqlite:///chat%00.db", "NUL character"),
    ],
)
def test_what_is_spelled_as_elsewhere_is_told_as_it_is_here(url: str, mend: str) -> None:
    with pytest.raises(ConfigError, match=mend):
        open_store(url)


@pytest.mark.parametrize("around", ["{}\n", " {}", "{} \r\n"])
def test_blanks_around_a_url_are_ignored(around: str, tmp_path: Path) -> None:
    run_blocking(open_store(around.format(f"sqlite:///{tmp_path}/s.db")).close())
    assert (tmp_path / "s.db").exists()
    assert open_cache(around.format("memory://")).name == "memory"


def test_schemes_are_read_in_either_case() -> None:
    assert (
        PostgresAddress.parse("PostgreSQL://me@h/db").conninfo == PostgresAddress.parse("postgresql://me@h/db").conninfo
    )
