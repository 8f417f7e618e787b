"""Store URLs: how they are shown without their passwords, what must be escaped in them, and their options."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from session_core.errors import ConfigError, UnknownScheme

N = TypeVar("N", int, float)
_ESCAPE = (
    "in users, passwords and names escape / as %2F, ? as %3F, # as %23, @ as %40, [ as %5B, ] as %5D, % as %25 and a "
    "blank as %20"
)
_OTHER_FORMS = (
    (re.compile(r"['\"]"), "remove the quotation marks"),
    (re.compile(r"(?:jdbc:)?(?:postgres(?:ql)?(?:\+\w+)?|pgsql)://"), "without a driver's name it is postgresql://"),
    (re.compile(r"sqlite\+\w+://"), "without a driver's name it is sqlite:///"),
    (re.compile(r"valkeys?://"), "a Valkey server is redis://, with TLS rediss://"),
    (re.compile(r"(?:unix|redis\+(?:socket|unix))://"), "use host and port of the Redis server: redis://host:6379/0"),
)
"""URL prefixes of other libraries, and their equivalents here."""
_FILE = re.compile(r"[\w./~-]+\.(?:db|sqlite|sqlite3)")
"""What is the path of a database, and surely no password."""
_IN_MEMORY = (":memory:", "memory")
"""Names of other libraries for what is not kept."""


def shown_url(url: str) -> str:
    """Scheme, servers and path of `url`, without user, password and options."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "…"
    place = rest.partition("?")[0]
    if "@" in place:
        return f"{scheme}://{place.rpartition('@')[2]}"
    return f"{scheme}://…" if "@" in rest else f"{scheme}://{place}"


def named_place(url: str) -> str:
    """What was given as a URL, for an error: the path of a file as it is, anything else as `shown_url` has it."""
    return url if _FILE.fullmatch(url) or url in _IN_MEMORY else shown_url(url)


def require_named(url: str) -> None:
    """Raises: UnknownScheme if `url` is empty, as from a variable that is not set."""
    if not url.strip():
        raise UnknownScheme(
            "the URL of the store is empty (from an environment variable that is not set?); pass one such as "
            "sqlite:///chat.db, or memory:// to keep nothing"
        )


def correct_form(url: str) -> str:
    """A hint with the correct form of the invalid `url`, if there is one."""
    if url in _IN_MEMORY:
        return "; what is kept in memory only is memory://"
    if "://" not in url:
        file = url if _FILE.fullmatch(url) else "chat.db"
        return f"; a URL has a '://', so the file {file} is sqlite:///{file}"
    return next((f"; {mend}" for beginning, mend in _OTHER_FORMS if beginning.match(url)), "")


def not_taken(scheme: str) -> ConfigError:
    """The error for a URL with an unescaped character; its password is never shown."""
    return ConfigError(f"{scheme}://…: the URL cannot be read; {_ESCAPE}")


def require_escaped(url: str, *, ends: str = "/?#") -> None:
    """Raises: ConfigError if an @ is where none can be, after one of `ends`: it was meant to end a user or password."""
    scheme, _, rest = url.partition("://")
    servers = re.split(f"[{ends}]", rest, maxsplit=1)[0]
    path, _, query = rest[len(servers) :].partition("?")
    if "@" in path or any("@" in option.partition("=")[0] for option in query.split("&")):
        raise ConfigError(f"{scheme}://…: an @ follows the servers; {_ESCAPE}")


def split_url(url: str) -> SplitResult:
    """The parts of `url`. Raises: ConfigError, without any password."""
    try:
        return urlsplit(url)
    except ValueError:
        raise ConfigError(
            f"{url.partition('://')[0]}://…: [ and ] may enclose an IPv6 address only; {_ESCAPE}"
        ) from None


def number_option(name: str, value: object, shown: str, kind: Callable[[str], N]) -> N:
    """The number that the option `name` of the URL `shown` has. Raises: ConfigError."""
    try:
        return kind(str(value))
    except ValueError:
        raise ConfigError(f"{shown}: {name} is {value!r}; use a number") from None


def file_in(parts: SplitResult) -> Path:
    """The file of a URL of SQLite. Raises: UnknownScheme if its ~ stands for a home that the system does not know."""
    try:
        return Path(unquote(parts.path).removeprefix("/")).expanduser()
    except RuntimeError as exc:
        raise UnknownScheme(
            "the ~ in the URL names a home directory that is not known here; set HOME, or write the full path, "
            "sqlite:////var/lib/chat.db"
        ) from exc
