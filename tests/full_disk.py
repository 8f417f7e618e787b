"""A process of its own that fills the disk under an SQLite store, makes room, and tells what became of it.

    python full_disk.py FOLDER limit|mount SIZE

`limit` lets no file grow over SIZE bytes; `mount` works in a file system of that size, which it mounts at FOLDER:
for that it must run in namespaces of its own (unshare -Urm).
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
from pathlib import Path

from session_core.errors import SessionError
from session_core.stores.sqlite import SqliteStore
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking

KEY, OTHER = Key("a session"), Key("another")


def narrow(folder: Path, way: str, size: int) -> None:
    if way == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    else:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)


def widen(folder: Path, way: str) -> None:
    if way == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)


def batch(number: int) -> list[Message]:
    rnd = random.Random(number)
    return [
        Message(Role.USER, rnd.randbytes(2_000).hex(), id=f"{number}.{place}", time_s=float(number))
        for place in range(5)
    ]


def refusals(store: SqliteStore, number: int) -> list[str]:
    """What several writes to the full disk come to."""
    said = []
    for work in (
        lambda: store.append(KEY, batch(number)),
        lambda: store.append(OTHER, batch(number)),
        lambda: store.append(KEY, batch(number)),
    ):
        try:
            run_blocking(work())
        except SessionError as exc:
            said.append(f"{type(exc).__name__}: {exc}")
    return said


def ids(store: SqliteStore) -> list[str]:
    return [m.id for m in run_blocking(store.record(KEY))]


def main(folder: Path, way: str, size: int) -> dict[str, object]:
    narrow(folder, way, size)
    store = SqliteStore(folder / "a.db")
    acknowledged: list[str] = []
    first = ""
    number = 0
    while not first:
        try:
            run_blocking(store.append(KEY, batch(number)))
        except SessionError as exc:
            first = f"{type(exc).__name__}: {exc}"
        else:
            acknowledged += [m.id for m in batch(number)]
            number += 1
    errors = [first, *refusals(store, number)]
    full = ids(store)
    widen(folder, way)
    for later in range(number, number + 3):
        run_blocking(store.append(KEY, batch(later)))
        acknowledged += [m.id for m in batch(later)]
    deleted = run_blocking(store.delete(OTHER))
    run_blocking(store.close())
    again = SqliteStore(folder / "a.db")
    told = {"acknowledged": acknowledged, "errors": errors, "full": full, "deleted": deleted}
    told |= {"found": ids(again), "damage": run_blocking(again.damage()), "unlimited": number}
    run_blocking(again.close())
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
