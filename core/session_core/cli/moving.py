"""Moving sessions: export writes them down, import stores what a file says."""

from __future__ import annotations

import argparse
import json

from session_core.cli.opening import found, opened_to_add, opened_to_read
from session_core.errors import ConfigError
from session_core.moving import move_in
from session_core.transcripts import read


def export(asked: argparse.Namespace) -> int:
    """Print a record as JSONL in the shape of the OpenAI chat API, or all sessions of a tenant, one a line."""
    with opened_to_read(asked) as sessions:
        said = sessions.export(asked.tenant) if asked.session is None else found(sessions, asked).export()
        for one in said:
            print(json.dumps(one, ensure_ascii=False))
    return 0


def move_file_in(asked: argparse.Namespace) -> int:
    """Store the conversations of a file, and print a line for each."""
    transcripts = read(asked.file)
    if asked.session is not None and len(transcripts) > 1:
        raise ConfigError(f"{asked.file} has {len(transcripts)} conversations, which go by their names; drop --session")
    with opened_to_add(asked) as sessions:
        for one in transcripts:
            session = sessions.session(asked.session or one.name, tenant=asked.tenant)
            new = move_in(session, one.messages)
            print(f"session {session.key}: {new:,} new of {len(one.messages):,} messages")
    return 0
