"""Parses a PostgreSQL URL: database, schema, number of connections, options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from session_core.errors import ConfigError
from session_core.stores.urls import not_taken, number_option, require_escaped, shown_url

SCHEMA = "llm_sessions"
CONNECTIONS = 16
"""Maximum connections of a process, and of each event loop in it."""
WAIT_S = 30.0
"""Seconds that a caller waits for a free connection before StoreBusy."""
CONNECT_TIMEOUT_S = 10
"""Default timeout in seconds for a new connection."""
LIVELINESS: dict[str, str | int] = {
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 60,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
"""Defaults of libpq options: milliseconds for the server to acknowledge what was sent, and seconds of silence before it
is asked for a sign. With the system's own, a call on a connection that a router forgot hangs for 15 minutes."""

_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")
_OWN_OPTIONS = ("schema", "rls", "max_connections", "wait_s", "prepare")
_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Address:
    """The location of sessions. `rls` enables row level security by tenant. `prepare` is whether statements are
    prepared on the server; disable it behind a pooler that does not support them."""

    conninfo: str = field(repr=False)
    shown: str = "postgresql://"
    schema: str = field(default=SCHEMA, kw_only=True)
    rls: bool = field(default=False, kw_only=True)
    prepare: bool = field(default=True, kw_only=True)
    max_connections: int = field(default=CONNECTIONS, kw_only=True)
    wait_s: float = field(default=WAIT_S, kw_only=True)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.schema):
            raise ConfigError(
                f"{self.shown}: schema {self.schema!r} is invalid; use a to z, 0 to 9 and _, at most 63 characters, "
                "not starting with pg_"
            )
        if self.max_connections < 1 or not self.wait_s > 0:
            raise ConfigError(f"{self.shown}: max_connections and wait_s must be over 0")

    @property
    def quoted(self) -> str:
        """The schema name, quoted for statements."""
        return f'"{self.schema}"'

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address for `url`, with libpq's options and ours. Raises: ConfigError, without any password."""
        require_escaped(url, ends="/?")
        shown = shown_url(url)
        place, _, query = url.partition("?")
        scheme, _, rest = place.partition("://")
        if rest.count("@") > 1:
            # libpq splits at the first @; it would show the rest of a password as a host name.
            raise not_taken(scheme)
        place = f"{scheme.lower()}://{rest}"
        options = [option for option in query.split("&") if option]
        # Not with `parse_qs`: for libpq a plus is a plus and not a blank.
        theirs = "&".join(option for option in options if option.partition("=")[0] not in _OWN_OPTIONS)
        given = {name: value for name, value in parse_qsl(query, keep_blank_values=True) if name in _OWN_OPTIONS}
        try:
            plain = conninfo_to_dict(f"{place}?{theirs}")
        except psycopg.ProgrammingError as exc:
            # Its text may quote a password.
            raise _not_taken(str(exc), scheme, shown) from None
        usual = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "llm-sessions", **LIVELINESS}
        for name, value in usual.items():
            plain.setdefault(name, value)
        plain["client_encoding"] = "UTF8"
        return cls(
            make_conninfo("", **plain),
            shown,
            schema=given.get("schema", SCHEMA),
            rls=_switch("rls", given.get("rls", "0"), shown),
            prepare=_switch("prepare", given.get("prepare", "1"), shown),
            max_connections=number_option("max_connections", given.get("max_connections", CONNECTIONS), shown, int),
            wait_s=number_option("wait_s", given.get("wait_s", WAIT_S), shown, float),
        )


def _not_taken(text: str, scheme: str, shown: str) -> ConfigError:
    option = re.match(r'invalid URI query parameter: "(\w{1,40})"', text)
    if option or text.startswith(("missing key/value", "extra key/value")):
        named = f"option {option[1]!r} is not known" if option else "an option is not written as name=value"
        return ConfigError(f"{shown}: {named}; libpq's options and {', '.join(_OWN_OPTIONS)} are")
    return not_taken(scheme)


def _switch(name: str, value: str, shown: str) -> bool:
    if value.lower() not in _SWITCHES:
        raise ConfigError(f"{shown}: {name} is {value!r}; use 1 or 0")
    return _SWITCHES[value.lower()]
