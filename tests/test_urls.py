"""URLs of stores as people write them: what is wrong is named with its mend, and no password is shown."""

from __future__ import annotations

import traceback

import pytest

from session_core import Sessions
from session_core.errors import ConfigError, SessionError
from session_core.stores.open import open_store
from session_core.stores.postgres.address import Address as PostgresAddress
from session_core.stores.redis.address import Address as RedisAddress
from session_core.stores.urls import shown_url

PASSWORD = "hunter2"


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+cluster", "redis+sentinel", "postgresql", "postgres"])
@pytest.mark.parametrize("written", ["hunter2/x", "hunter2?x", "hunter2#x", "9#hunter2", "hunter2[x", "x@hunter2/y"])
def test_a_password_that_is_not_escaped_is_shown_nowhere(scheme: str, written: str) -> None:
    with pytest.raises(SessionError) as caught:
        open_store(f"{scheme}://me:{written}@127.0.0.1:1/db?max_connections=none")
    said = "".join(traceback.format_exception_only(caught.value)) + str(caught.value.__cause__)
    assert PASSWORD not in said


@pytest.mark.parametrize("written", ["hunter2/x", "hunter2?x", "x@hunter2/y"])
@pytest.mark.parametrize("scheme", ["redis", "postgresql"])
def test_it_is_told_what_to_escape(scheme: str, written: str) -> None:
    with pytest.raises(ConfigError, match="write / as %2F"):
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


def test_options_do_not_show() -> None:
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
