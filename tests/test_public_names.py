"""The names that the packages give: loaded when they are asked for, and known to completion and type checkers."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("session_core", "langchain_session", "llamaindex_session")

HELPERS = """
from collections.abc import Mapping, Sequence

from session_core import Importance, Message, Policy
from session_core.plan import Fact
from session_core.ports import SummaryRequest
from session_core.turns import Key


class Plain:
    name = "plain"

    def summarize(self, request: SummaryRequest) -> str:
        return ""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return []

    def judge(self, messages: Sequence[Message]) -> dict[int, Importance]:
        return {}

    def extract(self, messages: Sequence[Message]) -> list[Fact]:
        return []

    def add(self, key: Key, messages: Sequence[Message]) -> None: ...

    def near(self, key: Key, query: str, *, max_hits: int) -> list[int]:
        return []

    def forget(self, key: Key, last_seq: int) -> None: ...


class Async:
    name = "async"

    async def summarize(self, request: SummaryRequest) -> str:
        return ""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return []

    async def judge(self, messages: Sequence[Message]) -> Mapping[int, Importance]:
        return {}

    async def extract(self, messages: Sequence[Message]) -> list[Fact]:
        return []


one, two = Plain(), Async()
Policy(summarizer=one, embedder=one, classifier=one, extractor=one, index=one)
Policy(summarizer=two, embedder=two, classifier=two, extractor=two)
"""

SDKS = """
from anthropic import Anthropic
from openai import OpenAI

from session_core import Session


def answer(session: Session) -> None:
    view = session.view()
    said = OpenAI().chat.completions.create(model="gpt-4o", messages=view.to_openai())
    session.append(said.choices[0].message.model_dump())
    session.append(Anthropic().messages.create(model="claude", max_tokens=99, **view.to_anthropic()).model_dump())
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_dir_lists_names_that_are_not_loaded_yet(package: str) -> None:
    program = f"import {package} as package; print(set(package.__all__) - set(dir(package)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()", done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_dir_lists_nothing_else_when_all_are_loaded(package: str) -> None:
    module = import_module(package)
    loaded = {name: getattr(module, name) for name in module.__all__}
    assert {name for name in dir(module) if not name.startswith("__")} == set(loaded)


def test_help_shows_what_a_saver_is_made_with() -> None:
    asked = signature(import_module("langchain_session").SessionSaver).parameters
    assert list(asked)[:4] == ["sessions", "url", "policy", "tenant"]
    assert "named" not in asked


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_raises_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'SessionSavor'"):
        import_module(package).SessionSavor  # noqa: B018


def test_a_type_checker_refuses_it_too(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("".join(f"from {package} import SessionSavor as {package}_name\n" for package in PACKAGES))
    # With the cache of the lint before the tests, which has read the packages.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(program)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    for package in PACKAGES:
        assert f'Module "{package}" has no attribute "SessionSavor"' in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("source", [HELPERS, SDKS], ids=["helpers with plain and with async methods", "SDKs"])
def test_a_type_checker_accepts_what_the_docs_show(source: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(program)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
