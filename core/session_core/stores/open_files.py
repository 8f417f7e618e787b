"""Recognizes that this process, or the machine, may open no further file or connection."""

from __future__ import annotations

import errno
import os

LIMIT = "cannot be used now: this process has too many files and connections open (ulimit -n); retry, or raise it"
"""What to say of a store, after its name."""
_LIMITS = (errno.EMFILE, errno.ENFILE)


def is_limit(exc: BaseException | None) -> bool:
    """Whether the limit on open files led to `exc`."""
    while exc is not None:
        if isinstance(exc, OSError) and exc.errno in _LIMITS:
            return True
        exc = exc.__cause__ or exc.__context__
    return False


def none_left() -> bool:
    """Whether the process cannot open a file now; for drivers that do not say why they could not."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as exc:
        return is_limit(exc)
    return False
