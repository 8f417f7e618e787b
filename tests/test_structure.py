"""The house rules that no linter knows: what a file says of itself, its length, its imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "core" / "session_core"
PACKAGES = (CORE, ROOT / "langchain_session", ROOT / "llamaindex_session")
MAX_LINES = 400
MAPPED = [
    *(CORE / name for name in "compress folds outputs passages recall retrieval runtime verification".split()),
    ROOT / "langchain_session",
    *(ROOT / "langchain_session" / name for name in "checkpointing conversion graph_state transfer".split()),
]


def _files(*packages: Path) -> list[Path]:
    return sorted(path for package in packages for path in package.rglob("*.py"))


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each import in `tree`, at any depth: the module, and the names taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", tuple(alias.name for alias in node.names)


def _imports_asyncio(source: ast.Module) -> bool:
    return any(module.partition(".")[0] == "asyncio" for module, _ in _imports(source))


def _enclosing_packages(path: Path) -> dict[str, Path]:
    """The packages `path` lies in, by dotted name, from the outermost to its own."""
    root = next(package for package in PACKAGES if path.is_relative_to(package))
    parts = path.parent.relative_to(root.parent).parts
    return {".".join(parts[:n]): root.parent.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)}


def _is_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _faces_imported(tree: ast.Module, around: dict[str, Path]) -> list[str]:
    """What `tree` takes from the face (`__init__`) of a package it is itself a part of."""
    return [
        f"{module}: {', '.join(names) or 'itself'}"
        for module, names in _imports(tree)
        if module in around and not (names and all(_is_module(around[module], name) for name in names))
    ]


def test_every_module_has_a_docstring() -> None:
    assert [_named(path) for path in _files(*PACKAGES) if not ast.get_docstring(_parsed(path))] == []


def test_no_module_exceeds_the_line_limit() -> None:
    lengths = {_named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _files(*PACKAGES)}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_module_imports_the_init_of_its_own_package() -> None:
    faces = {_named(path): _faces_imported(_parsed(path), _enclosing_packages(path)) for path in _files(*PACKAGES)}
    assert {name: found for name, found in faces.items() if found} == {}


@pytest.mark.parametrize("package", MAPPED, ids=_named)
def test_the_map_of_a_large_package_names_all_of_its_modules(package: Path) -> None:
    named = set(re.findall(r"`(\w+)`", ast.get_docstring(_parsed(package / "__init__.py")) or ""))
    assert {path.stem for path in package.glob("*.py")} - {"__init__"} <= named


def test_in_the_core_only_the_voices_import_asyncio() -> None:
    found = [_named(path) for path in _files(CORE) if _imports_asyncio(_parsed(path))]
    assert found == ["core/session_core/runtime/batching.py", "core/session_core/voices.py"]


def test_no_statement_numbers_its_placeholders() -> None:
    # Python 3.12 warns when a sequence is given for them, 3.14 refuses; names and bare question marks work in all.
    nodes = [node for path in _files(CORE / "stores") for node in ast.walk(_parsed(path))]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text for text in texts if re.search(r"\?\d", text)] == []


def test_the_folder_core_is_no_package() -> None:
    assert not (ROOT / "core" / "__init__.py").exists()


@pytest.mark.parametrize("package", PACKAGES, ids=_named)
def test_every_package_says_that_it_is_typed(package: Path) -> None:
    assert (package / "py.typed").is_file()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import asyncio", True),
        ("import asyncio.locks as locks", True),
        ("def later():\n    from asyncio import sleep", True),
        ("'import asyncio'", False),
        ("import asyncio_tools", False),
    ],
)
def test_asyncio_is_seen_in_code_and_not_in_words(source: str, found: bool) -> None:
    assert _imports_asyncio(ast.parse(source)) is found


@pytest.mark.parametrize(
    ("source", "faces"),
    [
        ("from session_core import Budget", ["session_core: Budget"]),
        ("import session_core", ["session_core: itself"]),
        ("from session_core import errors", []),
        ("from session_core.budget import Budget", []),
        ("from langchain_session import SessionSaver", []),
    ],
)
def test_the_check_tells_packages_from_modules(source: str, faces: list[str]) -> None:
    assert _faces_imported(ast.parse(source), {"session_core": CORE}) == faces


def test_no_error_puts_the_article_of_a_type_by_itself() -> None:
    """`errors.named_type` says "an int", "a dict" and "None"."""
    alone = re.compile(r"\ban? \{type\(")
    assert [_named(path) for path in _files(*PACKAGES) if alone.search(path.read_text(encoding="utf-8"))] == []
