"""Every error that llm-sessions raises, in one tree; each message names the session, what happened and the fix.

SessionError
├── ConfigError            the requested configuration is invalid
│   ├── BudgetError        a budget or policy value is out of range
│   ├── UnknownScheme      a store URL with an unknown scheme
│   ├── NotPicklable       what has connections was given to another process
│   └── MissingExtra       a driver or framework is not installed
├── InputError             a message or transcript is invalid
│   ├── EmptyMessage       nothing to store
│   ├── MessageTooLarge    over the policy's byte limit
│   ├── UnknownRole        a role outside system, user, assistant, tool
│   ├── OrphanToolResult   a tool result without its call
│   ├── DuplicateMessage   one id with two contents
│   ├── PinnedTooLarge     what every view must show exceeds the budget
│   └── TranscriptError    a line of a transcript cannot be read
├── StoreError             the store failed
│   ├── StoreUnreadable    not our data, or damaged
│   ├── NewerSchema        written by a newer release
│   ├── StoreClosed        used after its `close`
│   └── StoreBusy          another writer held it too long; retry
│       └── StoreLost      the server is unavailable, or the connection broke; retry
├── Conflict               the session changed; load it again and retry
│   ├── TurnTaken          another holder has the turn
│   ├── TurnLost           the turn went to another holder; nothing was written
│   └── Diverged           an import or export does not continue the one before
├── NotFound               no such session, message or reference
└── VoiceError             a blocking call needs an event loop
    └── NotOffered         an inner saver lacks the method, or has it for sync or async only
"""

from typing import Self

LONGEST_SHOWN = 32


class SessionError(Exception):
    """The base class: catch this to catch every error of llm-sessions."""


class ConfigError(SessionError):
    """The requested configuration is invalid."""


class BudgetError(ConfigError, ValueError):
    """A budget or policy value is out of range."""


class UnknownScheme(ConfigError, ValueError):
    """A store URL has an unknown scheme, or cannot be parsed."""


class NotPicklable(ConfigError, TypeError):
    """What has connections cannot be pickled; another process opens its own."""


class MissingExtra(ConfigError, ImportError):
    """A driver or framework is not installed; the message has the pip command."""


class InputError(SessionError, ValueError):
    """A message or transcript is invalid; nothing of it was written."""


class EmptyMessage(InputError):
    """A message holds neither text, media nor tool calls."""


class MessageTooLarge(InputError):
    """A message is over the policy's byte limit."""


class UnknownRole(InputError):
    """A role outside system, user, assistant and tool."""


class OrphanToolResult(InputError):
    """A tool result answers no open tool call of its session."""


class DuplicateMessage(InputError):
    """A message id is in the record already, with other content."""

    message_id: str = ""
    """The id, if a store refused it."""


class PinnedTooLarge(InputError):
    """What every view must show verbatim exceeds the budget."""


class TranscriptError(InputError):
    """A line of a transcript cannot be read; the message says which."""


class StoreError(SessionError):
    """The store failed."""

    _named: str = ""

    @property
    def message_without_session(self) -> str:
        """The message without the session's name."""
        return str(self).removeprefix(self._named)

    def about(self, session: object) -> Self:
        """The same error, with the name of the session that the call was about."""
        text = str(self)
        _, named, behind = text.partition(f"session {session}")
        if named and not behind[:1].isalnum():
            return self
        beginning = f"session {session}: "
        made = type(self)(beginning + text)
        made._named = beginning
        return made


class StoreUnreadable(StoreError):
    """The file or server does not contain our data, or it is damaged."""


class NewerSchema(StoreError):
    """The database was written by a newer release."""


class StoreClosed(StoreError):
    """The store was closed before this call; nothing was done."""


class StoreBusy(StoreError):
    """Another writer held the store longer than the store waits."""


class StoreLost(StoreBusy):
    """The server is unavailable, or the connection broke during a call; retry."""


class Conflict(SessionError):
    """The session is not at the version that the caller expected; load it again and retry."""


class TurnTaken(Conflict):
    """Another holder has the turn of the session and did not release it in time."""


class TurnLost(Conflict):
    """The lease of a write is no longer valid; nothing was written."""


class Diverged(Conflict):
    """An import or export no longer continues the one before; nothing was written."""


class NotFound(SessionError, LookupError):
    """There is no such session, message or reference."""


class VoiceError(SessionError, RuntimeError):
    """A blocking call needs an event loop, or an async one has none of asyncio."""


class NotOffered(VoiceError, NotImplementedError):
    """An inner saver lacks the method, or has it for sync or async only."""


def named_type(value: object) -> str:
    """The type of `value` as an error names it: "an int", "a Message", "None"."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name}"


def shown(name: object) -> str:
    """A caller's value for the text of an error; anything but a plain word may be content and is not shown."""
    text = str(name)
    if len(text) <= LONGEST_SHOWN and text.replace("_", "").replace("-", "").isalnum():
        return repr(text)
    return f"({named_type(name)} of {len(text):,} characters)"


def missing_extra(package: str, extra: str) -> MissingExtra:
    """The error for `package`, which only the extra `extra` installs."""
    return MissingExtra(f"{package} is not installed; it comes with: pip install 'llm-sessions[{extra}]'")
