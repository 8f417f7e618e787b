"""Parses a Redis URL: servers, connection options, lifetime of sessions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote

from session_core.errors import ConfigError
from session_core.stores.urls import number_option, require_escaped, split_url

CONNECTIONS = 32
"""Maximum connections of a process to a server; callers wait for a free one."""
WAIT_S = 30.0
"""Seconds that a caller waits for a free connection before StoreBusy."""

RETRIES = 3
"""How often a call is repeated when its connection breaks; every write is idempotent."""

MAX_TIMEOUT_S = 1e6

_LOGIN = ("username", "password")
Kind = Literal["one", "cluster", "sentinel"]
_KINDS: Mapping[str, Kind] = {"": "one", "cluster": "cluster", "sentinel": "sentinel"}
_PORTS: Mapping[Kind, int] = {"one": 6379, "cluster": 6379, "sentinel": 26379}


def _switch(value: str) -> bool:
    return value.lower() in ("1", "true", "yes", "on")


_DRIVER_OPTIONS: Mapping[str, Callable[[str], object]] = {
    "socket_timeout": float,
    "socket_connect_timeout": float,
    "health_check_interval": int,
    "protocol": int,
    "client_name": str,
    "ssl_ca_certs": str,
    "ssl_certfile": str,
    "ssl_keyfile": str,
    "ssl_cert_reqs": str,
    "ssl_check_hostname": _switch,
}
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CHOICES: Mapping[str, tuple[object, ...]] = {"protocol": (2, 3), "ssl_cert_reqs": ("required", "optional", "none")}
_OWN_OPTIONS = (
    *("ttl_s", "prefix", "max_connections", "wait_s", "retries", "db"),
    *("sentinel_username", "sentinel_password"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """The location of sessions.

    `ttl_s` is the lifetime of an idle session, None for unlimited. All that share a `prefix` on a server must use
    the same `ttl_s`. `wait_s` is the timeout for a free connection, `retries` how often a call is repeated; without
    `patient` not after a timeout. `username` and `password` are for the servers, `sentinel_login` is for their
    sentinels.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    secure: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    service: str = ""
    sentinel_login: Mapping[str, str] = field(default_factory=dict, repr=False)
    ttl_s: float | None = None
    prefix: str = "llms"
    max_connections: int = CONNECTIONS
    wait_s: float = WAIT_S
    retries: int = RETRIES
    patient: bool = True
    options: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str, **defaults: str) -> Address:
        """The address for `url`, with `defaults` for options that it lacks. Raises: ConfigError, without any
        password."""
        require_escaped(url)
        parts = split_url(url)
        base, _, kind_name = parts.scheme.partition("+")
        kind = _KINDS[kind_name]
        login, _, places = parts.netloc.rpartition("@")
        username, _, password = login.partition(":")
        path = [unquote(part) for part in parts.path.split("/") if part]
        service = path.pop(0) if kind == "sentinel" and path else ""
        given = defaults | dict(parse_qsl(parts.query, keep_blank_values=True))
        shown = f"{parts.scheme}://{places}{parts.path}"
        if len(path) > 1:
            raise ConfigError(f"{shown}: {'/'.join(path[1:])!r} follows the number of the database; leave it out")
        made = cls(
            kind,
            tuple(_place(place, _PORTS[kind], shown) for place in places.split(",")),
            secure=base == "rediss",
            username=unquote(username) or None,
            password=unquote(password) or None,
            db=number_option("db", given.get("db", path[0] if path else "0"), shown, int),
            service=service,
            sentinel_login={name: given[f"sentinel_{name}"] for name in _LOGIN if given.get(f"sentinel_{name}")},
            ttl_s=number_option("ttl_s", given["ttl_s"], shown, float) if "ttl_s" in given else None,
            prefix=given.get("prefix", "llms"),
            max_connections=number_option("max_connections", given.get("max_connections", CONNECTIONS), shown, int),
            wait_s=number_option("wait_s", given.get("wait_s", WAIT_S), shown, float),
            retries=number_option("retries", given.get("retries", RETRIES), shown, int),
            options=_options(given, shown),
        )
        made._check(shown)
        return made

    @property
    def shown(self) -> str:
        """The address for a message: no user, no password, no options."""
        places = ",".join(f"{host}:{port}" for host, port in self.hosts)
        kind = "" if self.kind == "one" else f"+{self.kind}"
        return f"redis{'s' if self.secure else ''}{kind}://{places}" + (f"/{self.service}" if self.service else "")

    def _check(self, shown: str) -> None:
        if self.ttl_s is not None and not 0.001 <= self.ttl_s <= 1e9:
            raise ConfigError(
                f"{shown}: ttl_s is {self.ttl_s:g}; use seconds, or leave it out to keep sessions forever"
            )
        if not self.prefix or set(self.prefix) & set("{}"):
            raise ConfigError(
                f"{shown}: prefix {self.prefix!r} is invalid; it starts every key and must not be empty or have braces"
            )
        self._check_servers(shown)
        self._check_options(shown)
        if self.max_connections < 1:
            raise ConfigError(f"{shown}: max_connections is {self.max_connections}; use at least 1")
        if not self.wait_s > 0 or self.retries < 0:
            raise ConfigError(f"{shown}: wait_s must be over 0 and retries at least 0")

    def _check_servers(self, shown: str) -> None:
        if self.kind == "cluster" and self.db:
            raise ConfigError(f"{shown}: a cluster has only database 0; leave the number out")
        if self.kind == "sentinel" and not self.service:
            raise ConfigError(f"{shown}: name the service, as in redis+sentinel://host:26379/mymaster")
        if self.sentinel_login and self.kind != "sentinel":
            raise ConfigError(f"{shown}: sentinel_username and sentinel_password are for redis+sentinel://")
        if self.kind == "one" and len(self.hosts) > 1:
            raise ConfigError(f"{shown}: several servers are redis+cluster:// or redis+sentinel://")
        if self.db < 0 or any(not 0 < port < 65_536 for _, port in self.hosts):
            raise ConfigError(f"{shown}: a database is 0 or more, a port 1 to 65535")

    def _check_options(self, shown: str) -> None:
        for name, value in self.options.items():
            if name.startswith("ssl_") and not self.secure:
                raise ConfigError(f"{shown}: {name} is for TLS; start the URL with rediss")
            if name in _FILES and not Path(str(value)).is_file():
                raise ConfigError(f"{shown}: {name} is {value!r}, which is not a file; name one that can be read")
            if isinstance(value, float) and not 0 < value < MAX_TIMEOUT_S:
                raise ConfigError(f"{shown}: {name} is {value:g}; use seconds over 0")
            if name in _CHOICES and value not in _CHOICES[name]:
                raise ConfigError(f"{shown}: {name} is {value!r}; use {' or '.join(map(str, _CHOICES[name]))}")
            if name == "client_name" and not re.fullmatch("[!-~]*", str(value)):
                raise ConfigError(f"{shown}: client_name {value!r} is invalid; use ASCII without blanks")


def _place(place: str, port: int, shown: str) -> tuple[str, int]:
    host, _, given = place.rpartition(":") if not place.endswith("]") and ":" in place else (place, "", "")
    return host.strip("[]") or "localhost", number_option("port", given or port, shown, int)


def _options(given: Mapping[str, str], shown: str) -> dict[str, object]:
    made: dict[str, object] = {}
    for name, value in given.items():
        if name in _OWN_OPTIONS:
            continue
        if name not in _DRIVER_OPTIONS:
            known = ", ".join([*_OWN_OPTIONS, *_DRIVER_OPTIONS])
            raise ConfigError(f"{shown}: option {name!r} is not known; use {known}")
        try:
            made[name] = _DRIVER_OPTIONS[name](value)
        except ValueError:
            raise ConfigError(f"{shown}: option {name} is {value!r}; use a number") from None
    return made
