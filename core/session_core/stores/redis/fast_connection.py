"""A driver connection with a thinner path for commands and replies than the driver's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from session_core.stores.redis.driver import TOO_MANY, Refused, answer_reader, exceptions, packed_command

Command = tuple[Any, ...]

SCRIPTED = "EVALSHA"
"""Commands whose answers the driver's client returns unchanged, after a lookup of their options."""
READ_BYTES = 65_536
_BROKEN = (ConnectionResetError, BrokenPipeError)


class FastConnection:
    """Sends commands and reads their answers, one call at a time.

    `hiredis` parses the answer to a single script. The driver opens the connection and classifies errors; with its
    own reading, an append takes 5 % longer.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.connection = client.connection_pool.make_connection()
        self._sock: Any = None
        self._buffer = bytearray(READ_BYTES)

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to `commands`; an error of the server is returned as one. Raises: what the driver raises."""
        connection = self.connection
        if connection._sock is None:
            # The caller retries: if both did, the retries would multiply to minutes for a dead server.
            with opening():
                connection.connect_check_health(check_health=False, retry_socket_connect=False)
        if answer_reader is None or len(commands) > 1 or commands[0][0] != SCRIPTED or connection.health_check_interval:
            connection.send_packed_command(packed(connection, commands))
            return [self._answer(command[0]) for command in commands]
        if self._sock is not connection._sock:
            self._sock = connection._sock
            self._reader = answer_reader(replyError=connection._parser.parse_error)
        try:
            return [self._exchange_one(packed(connection, commands)[0])]
        except TimeoutError:
            raise exceptions.TimeoutError("no answer in time") from None
        except OSError as exc:
            raise exceptions.ConnectionError(f"the connection broke ({type(exc).__name__})") from exc

    def _exchange_one(self, command: bytes) -> Any:
        sock, reader, buffer = self._sock, self._reader, self._buffer
        sock.sendall(command)
        # It returns False for an incomplete answer; in this protocol no answer is false.
        while (answer := reader.gets()) is False:
            count = sock.recv_into(buffer)
            if not count:
                raise exceptions.ConnectionError("the server closed the connection")
            reader.feed(buffer, 0, count)
        if isinstance(answer, exceptions.ConnectionError):
            raise answer
        return answer

    def _answer(self, name: str) -> Any:
        try:
            if name == SCRIPTED:
                return self.connection.read_response()
            return self._client.parse_response(self.connection, name)
        except exceptions.ResponseError as exc:
            return exc

    def disconnect(self) -> None:
        """Close it; the next exchange opens it again."""
        self.connection.disconnect()


@contextmanager
def opening() -> Iterator[None]:
    """Around the opening of a connection. Raises: Refused if the server ended it. It says why and closes it, and what
    it said is lost if something was sent meanwhile."""
    try:
        yield
    except exceptions.ConnectionError as exc:
        if TOO_MANY in str(exc) or isinstance(exc.__cause__, _BROKEN):
            raise Refused(str(exc)) from exc
        raise


def packed(connection: Any, commands: Sequence[Command]) -> Any:
    """The serialized commands. A single one bypasses the driver, which checks each argument first; without `hiredis`
    the driver serializes all."""
    if len(commands) > 1:
        return connection.pack_commands(commands)
    return connection.pack_command(*commands[0]) if packed_command is None else [packed_command(commands[0])]
