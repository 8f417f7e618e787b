"""The Lua scripts of the store's atomic operations, called by their SHA1 digest."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and its SHA1 by which a server that has loaded it knows it."""

    name: str
    source: str
    sha: str


def _script(*parts: str) -> Script:
    """The script concatenated from the files of `parts`; the last one names it."""
    folder = files(__package__) / "lua"
    source = "\n".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return Script(parts[-1], source, sha1(source.encode(), usedforsecurity=False).hexdigest())


_SESSION = ("fixed", "keys", "figures", "ranges", "state")
_NUMBERING = ("index", "account", "record")
_RECORD = (*_SESSION, "messages", *_NUMBERING)
APPEND = _script(
    *("fixed", "append_one", "keys", "figures", "messages", "append_plain", "ranges", "state", *_NUMBERING, "append")
)
LOAD = _script(*_SESSION, "load")
FIND = _script(*_RECORD, "find")
PUT_DIGEST = _script(*_SESSION, "put_digest")
MARK = _script(*_SESSION, "mark")
NOTICES = _script("notices")
NAMESPACES = _script("namespaces")
PUT_CHECKPOINT = _script(*_RECORD, "lists", "put_checkpoint")
PUT_WRITES = _script(*_RECORD, "put_writes")
CHECKPOINT = _script(*_SESSION, "lists", "whole", "checkpoint")
ANCESTORS = _script(*_SESSION, "lists", "whole", "ancestors")
PARTS = _script(*_SESSION, "lists", "parts")
DROP_CHECKPOINTS = _script(*_SESSION, "lists", "drop_checkpoints")
COPY_READ = _script("copy_read")
COPY_WRITE = _script("fixed", "figures", "copy_write")
REWRITE_READ = _script(*_SESSION, "rewrite_read")
REWRITE_WRITE = _script(*_SESSION, "rewrite_write")
DELETE = _script("fixed", "figures", "delete")
SEEK = _script("seek")
MEMORY = _script("memory")
CLOCK = _script("clock")
RENEW = _script("fixed", "figures", "renew")
TOUCH = _script("touch")
FORGET = _script("forget")
LEASE = _script("lease")
DROP_LEASE = _script("drop_lease")
CACHE_LOOK = _script("cache_place", "cache_look")
CACHE_BEGIN = _script("cache_place", "cache_begin")
CACHE_EXTEND = _script("cache_place", "cache_extend")
CACHE_END = _script("cache_place", "cache_end")
CACHE_FILL = _script("cache_place", "cache_fill")
FOLD_ASK = _script("fold_ask")
FOLD_TAKE = _script("fold_take")
FOLD_HOLD = _script("fold_hold")
FOLD_DONE = _script("fold_done")
FOLD_UNCOUNT = _script("fold_uncount")
FOLD_LEFT = _script("fold_left")
FOLD_POLICIES = _script("fold_policies")
FOLD_STATE = _script("fold_state")
