"""Real tools for a folder: list, search, read and outline files, parse data, ask git and pip."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "build", "dist", "venv"})
"""Folders that nobody means by "the files here"; so are those that begin with a dot."""

MOST_LINES = 220
MOST_MATCHES = 60
MOST_BYTES = 2_000_000
"""Longest excerpt of a file and most matches of a search (each output says what it left out); largest file read."""

PATIENCE_S = 60
_parsing = threading.Lock()
"""Python 3.11 counts the depth of trees for all threads together: of two that parse at once one may get SystemError."""


class Folder:
    """The tools of one folder. Each takes strings and numbers and returns text; no tool writes anything.

    Files in `without` (a folder) are not seen. Paths are relative to `root`, with forward slashes.
    """

    def __init__(self, root: Path, *, without: Path | None = None) -> None:
        self.root = root.resolve()
        self._without = without.resolve() if without else None

    @property
    def tools(self) -> list[Callable[..., str]]:
        """Every tool; its name, parameters and docstring are what a model is told of it."""
        return [
            self.list_files,
            self.search_text,
            self.read_file,
            self.outline,
            self.read_data,
            self.git_log,
            self.show_package,
        ]

    def list_files(self, folder: str = "") -> str:
        """List the files below a folder with their sizes in bytes, and count them by type."""
        start = self._inside(folder)
        if start is None or not start.is_dir():
            return f"no folder {folder!r} here"
        found = [(self.name(path), path.stat().st_size) for path in self.files(start)]
        kinds = Counter(Path(name).suffix or "(none)" for name, _ in found)
        largest = max(found, key=lambda one: (one[1], one[0]), default=("none", 0))
        text = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(8))
        head = f"{len(found)} files, {sum(size for _, size in found)} bytes, largest {largest[0]}; {text}"
        return "\n".join([head, *(f"{size:>9}  {name}" for name, size in found)])

    def search_text(self, text: str) -> str:
        """Find the lines of all text files that hold a word, with file and line number."""
        hits: list[str] = []
        files: Counter[str] = Counter()
        for path in self.files(self.root):
            for number, line in enumerate(_lines(path), start=1):
                if text in line:
                    files[self.name(path)] += 1
                    hits.append(f"{self.name(path)}:{number}: {line.strip()[:200]}")
        most = files.most_common(1)[0][0] if files else "none"
        head = f"{len(hits)} matches for {text!r} in {len(files)} files, most in {most}"
        if len(hits) > MOST_MATCHES:
            hits = [*hits[:MOST_MATCHES], f"({len(hits) - MOST_MATCHES} more matches not shown)"]
        return "\n".join([head, *hits])

    def read_file(self, path: str, first_line: int = 1) -> str:
        """Read a text file from a line on, at most 220 lines of it."""
        file = self._inside(path)
        if file is None or not file.is_file():
            return f"no file {path!r} here"
        lines = _lines(file)
        part = lines[first_line - 1 : first_line - 1 + MOST_LINES]
        last = first_line + len(part) - 1
        return "\n".join([f"{path}: lines {first_line}-{last} of {len(lines)}", *part])

    def outline(self, path: str) -> str:
        """Parse a Python file; its classes and functions as JSON, with line numbers and docstrings' first lines."""
        file = self._inside(path)
        if file is None or not file.is_file():
            return f"no file {path!r} here"
        try:
            with _parsing:
                tree = ast.parse("\n".join(_lines(file)))
        except (SyntaxError, ValueError) as exc:
            return f"{path} is not Python: {exc}"
        found = list(_definitions(tree))
        kinds = Counter(one["kind"] for one in found)
        told = {
            "file": path,
            "classes": kinds["class"],
            "functions": kinds["function"],
            "about": (ast.get_docstring(tree) or "").partition("\n")[0],
            "definitions": found,
        }
        return json.dumps(told, indent=1)

    def read_data(self, path: str) -> str:
        """Parse a JSON, notebook or TOML file and return it as indented JSON."""
        file = self._inside(path)
        if file is None or not file.is_file():
            return f"no file {path!r} here"
        text = "\n".join(_lines(file))
        try:
            value = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
        except ValueError as exc:
            return f"{path} cannot be parsed: {exc}"
        keys = ", ".join(map(str, value)) if isinstance(value, dict) else f"{len(value)} items"
        return f"{path}: top level {keys}\n{json.dumps(value, indent=1, default=str)}"

    def git_log(self, most: int = 30) -> str:
        """The newest commits of this checkout, with the files each changed."""
        if not (self.root / ".git").exists():
            return f"{self.root.name} is not a git checkout, so there is no log"
        shape = "--format=commit %h %ad %an%n    %s"
        done = self._run("git", "log", f"--max-count={most}", "--date=short", "--stat", shape)
        if "does not have any commits" in done:
            return "this checkout has no commits yet"
        return done

    def show_package(self, name: str) -> str:
        """What pip knows of an installed package: version, summary, requirements, files."""
        return self._run(sys.executable, "-m", "pip", "show", "--files", "--disable-pip-version-check", name)

    def files(self, start: Path) -> Iterator[Path]:
        """The files below `start`, in the order of their names."""
        for folder, folders, names in os.walk(start):
            here = Path(folder)
            folders[:] = sorted(name for name in folders if self._seen(here / name))
            yield from (here / name for name in sorted(names) if not (here / name).is_symlink())

    def name(self, path: Path) -> str:
        """`path` as the tools say it."""
        return path.relative_to(self.root).as_posix()

    def _seen(self, folder: Path) -> bool:
        hidden = folder.name.startswith(".") or folder.name in SKIPPED_FOLDERS or folder.is_symlink()
        return not hidden and folder != self._without and not (folder / "pyvenv.cfg").exists()

    def _inside(self, path: str) -> Path | None:
        """The place called `path`; None for one outside of the folder."""
        place = (self.root / path).resolve()
        return place if place.is_relative_to(self.root) else None

    def _run(self, *command: str) -> str:
        try:
            done = subprocess.run(
                command, cwd=self.root, capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            return f"{Path(command[0]).name} cannot be run: {exc}"
        return (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip() or "(no output)"


def _lines(path: Path) -> list[str]:
    """The lines of a text file; none of a binary or a very large one."""
    if path.stat().st_size > MOST_BYTES:
        return []
    data = path.read_bytes()
    if b"\x00" in data:
        return []
    return re.split(r"\r\n|\r|\n", data.decode("utf-8", "replace"))


def _definitions(tree: ast.AST) -> Iterator[dict[str, Any]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            about = (ast.get_docstring(node) or "").partition("\n")[0]
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield {"kind": kind, "name": node.name, "line": node.lineno, "about": about}
