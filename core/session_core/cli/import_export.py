"""`llm-sessions export` and `import`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from session_core.cli.stores import DEFAULT_TENANT, found, none_in, opened_to_add, opened_to_read
from session_core.errors import ConfigError, StoreUnreadable
from session_core.importing import RefusedConversations, import_messages
from session_core.outputs.pieces import counted
from session_core.sessions import Sessions
from session_core.transcripts import read

NAMED = 5
"""The most unreadable sessions to name."""


def export(asked: argparse.Namespace) -> int:
    """Print a record as JSONL in the shape of the OpenAI chat API, or all sessions, one a line.

    Raises: StoreUnreadable for those that cannot be read, after all others were printed.
    """
    unreadable: list[StoreUnreadable] = []
    with opened_to_read(asked) as sessions:
        several = asked.session is None
        said = _all(sessions, asked.tenant, unreadable) if several else found(sessions, asked).export()
        empty = True
        for one in said:
            print(_line(one))
            empty = False
    if unreadable:
        left = f"{counted(len(unreadable), 'session')} cannot be read and were left out"
        raise StoreUnreadable(f"{left}, the others were exported: {'; '.join(map(str, unreadable[:NAMED]))}")
    if empty:
        print(f"llm-sessions: {none_in(asked)}", file=sys.stderr)
    return 0


def _line(exported: dict[str, Any]) -> str:
    """JSON that an import reads back unaltered, also where the output cannot encode every character (a terminal or a
    locale without UTF-8; half of a surrogate pair)."""
    text = json.dumps(exported, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(exported)
    return text


def _all(sessions: Sessions, tenant: str | None, unreadable: list[StoreUnreadable]) -> Iterator[dict[str, Any]]:
    """Every session of `tenant`; without one, those of all tenants, each with its tenant beside it. Why a session
    cannot be read is added to `unreadable`."""
    keys = [state.key for state in sessions.list(tenant)]
    for key in sorted(keys, key=lambda key: key.tenant):
        try:
            messages = sessions.session(key.session_id, tenant=key.tenant).export()
        except StoreUnreadable as exc:
            unreadable.append(exc)
            continue
        named = {"tenant": key.tenant} if tenant is None else {}
        yield {**named, "session_id": key.session_id, "messages": messages}


def import_file(asked: argparse.Namespace) -> int:
    """Store the conversations of a file, and print a line for each.

    Raises: ConfigError when it has two of one name; Diverged or InputError for what was refused, at the end.
    """
    transcripts = read(asked.file)
    if asked.session is not None and len(transcripts) > 1:
        raise ConfigError(
            f"{asked.file} has {len(transcripts)} conversations, each stored under its own name; drop --session"
        )
    whose = [asked.tenant or one.tenant or DEFAULT_TENANT for one in transcripts]
    _require_names(asked.file, [(tenant, one.name) for tenant, one in zip(whose, transcripts, strict=True)])
    several = RefusedConversations()
    with opened_to_add(asked, whose) as sessions:
        for one, tenant in zip(transcripts, whose, strict=True):
            with several.one():
                session = sessions.session(asked.session or one.name, tenant=tenant)
                new = import_messages(session, one.messages)
                print(f"session {session.key}: {new:,} new of {counted(len(one.messages), 'message')}")
    several.tell()
    return 0


def _require_names(file: Path, names: Sequence[tuple[str, str]]) -> None:
    twice = [name for (_, name), count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(
            f"{file} has {len(twice)} names that several conversations of one tenant have, {twice[0]!r} first; nothing "
            "was written: give each conversation a name of its own"
        )
