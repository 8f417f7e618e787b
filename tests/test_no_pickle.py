"""Nothing that is stored is ever run: no pickle and nothing like it, in no module and in no serializer."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_session import SessionSaver
from langchain_session.conversion.native import exact
from session_core import Sessions
from session_core.errors import InputError
from session_core.ports import Checkpoint, Plain, Write
from session_core.serial.codec import pack, unpack
from session_core.stores.memory import MemoryStore
from session_core.turns import Key
from session_core.voices import run_blocking

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for package in ("core/session_core", "langchain_session", "llamaindex_session")
    for path in (ROOT / package).rglob("*.py")
)
RUN_WHAT_THEY_READ = {
    *("pickle", "_pickle", "pickletools", "cPickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal"),
    *("shelve", "copyreg", "yaml"),
}
CONFIG: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}


def _at_fault(tree: ast.Module) -> list[str]:
    """What in `tree` reads or writes values that run when they are read."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
        elif isinstance(node, ast.Call):
            found += [str(word.arg) for word in node.keywords if word.arg == "pickle_fallback"]
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            found += [called] if called in ("eval", "exec", "__import__") else []
    wrong = {*RUN_WHAT_THEY_READ, "pickle_fallback", "eval", "exec", "__import__"}
    return [name for name in found if name.partition(".")[0] in wrong]


def test_no_module_imports_pickle_or_a_relative() -> None:
    faults = {path.relative_to(ROOT): _at_fault(ast.parse(path.read_text(encoding="utf-8"))) for path in FILES}
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle", ["pickle"]),
        ("def later():\n    from marshal import loads", ["marshal"]),
        ("JsonPlusSerializer(pickle_fallback=True)", ["pickle_fallback"]),
        ("eval(data)", ["eval"]),
        ("'import pickle'", []),
        ("import pickled_onions", []),
    ],
)
def test_the_check_finds_imports_and_ignores_comments(source: str, found: list[str]) -> None:
    assert _at_fault(ast.parse(source)) == found


def _serializers(value: object, seen: set[int]) -> list[JsonPlusSerializer]:
    """Every serializer that `value` can reach."""
    if id(value) in seen or isinstance(value, type | str | bytes | int | float):
        return []
    seen.add(id(value))
    if isinstance(value, JsonPlusSerializer):
        return [value]
    parts: list[object] = list(vars(value).values()) if hasattr(value, "__dict__") else []
    parts += list(value.values()) if isinstance(value, dict) else []
    parts += list(value) if isinstance(value, list | tuple | set | frozenset) else []
    parts += [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    return [found for part in parts for found in _serializers(part, seen)]


def test_no_serializer_falls_back_to_pickle() -> None:
    import langchain_session.conversion.native as native

    saver = SessionSaver(Sessions(MemoryStore()))
    found = [*_serializers(saver, set()), *_serializers(saver.with_allowlist([]), set()), native._serializer]
    assert len(found) >= 2
    assert [serializer.pickle_fallback for serializer in found] == [False] * len(found)


class Trap:
    """Leaves a mark when it is unpickled."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Trap, "sprung", True)


@pytest.fixture
def trap() -> bytes:
    Trap.sprung = False
    data = pickle.dumps(Trap())
    pickle.loads(data)
    assert Trap.sprung
    Trap.sprung = False
    return data


@pytest.mark.parametrize("where", ["checkpoint", "value", "write"])
def test_a_pickle_that_somebody_put_into_the_store_is_not_read(where: str, trap: bytes) -> None:
    store = MemoryStore()
    saver = SessionSaver(Sessions(store))
    checkpoint = empty_checkpoint()
    saver.put(CONFIG, checkpoint, {"source": "loop", "step": 0, "parents": {}}, {})
    planted, key = Plain("pickle", trap), Key("t")
    found = run_blocking(store.checkpoint(key))
    assert found is not None
    if where == "write":
        run_blocking(store.put_writes(key, found.id, [Write("task", 0, "x", planted)]))
    else:
        body = planted if where == "checkpoint" else found.body
        bare = Checkpoint(key, found.id, None, body, {"x": 1})
        run_blocking(store.put_checkpoint(bare, {"x": planted}, head_channel=None, merge=True))
    with pytest.raises(NotImplementedError, match="pickle"):
        saver.get_tuple(CONFIG)
    assert not Trap.sprung


def test_a_value_that_only_pickle_could_keep_is_refused(trap: bytes) -> None:
    with pytest.raises(InputError):
        exact.encode([Trap()])
    with pytest.raises(InputError):
        pack([Trap()])
    assert unpack(pack([trap])) == [trap]
    assert not Trap.sprung
