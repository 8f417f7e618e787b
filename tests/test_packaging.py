"""What users install: the wheel's content, and that it works with each extra and without any.

The environment of an extra holds what the tests' own has of it; `make test-extras` has pip look for all of it anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONFIGURED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = CONFIGURED["project"]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "--retries=10")
RESOLVED = "LLM_SESSIONS_RESOLVE" in os.environ
SOURCES = {"session_core": ROOT / "core", "langchain_session": ROOT, "llamaindex_session": ROOT}

CORE_NAMES = "from session_core import Sessions, Policy, Budget"
HISTORY_NAMES = "from langchain_session import SessionChatMessageHistory, SessionSaver"
GRAPH_NAMES = "from langchain_session import SessionSaver, SessionMiddleware, attach, recall_tool"
LLAMAINDEX_NAMES = "from llamaindex_session import SessionMemoryBuffer, SessionChatStore"

# Each extra in an environment of its own, and what must work there; "" is the wheel alone.
PROMISED = {
    "": CORE_NAMES,
    "langchain": f"{CORE_NAMES}; {HISTORY_NAMES}",
    "langgraph": f"{CORE_NAMES}; {GRAPH_NAMES}",
    "llamaindex": f"{CORE_NAMES}; {LLAMAINDEX_NAMES}",
    "otel": f"{CORE_NAMES}; import opentelemetry.trace, session_core.otel",
    "redis": f"{CORE_NAMES}; import session_core.stores.redis.store",
    "postgres": f"{CORE_NAMES}; import session_core.stores.postgres.store",
    "encryption": f"{CORE_NAMES}; import session_core.stores.encrypted",
    "cli": f"{CORE_NAMES}; import rich, matplotlib, session_core.cli",
}

# Runs what is asked for and tells every module that our own files, and nobody else's, imported meanwhile.
WATCH = """
import builtins, json, sys
ours, asked, plain = set(json.loads(sys.argv[2])), set(), builtins.__import__
def watched(name, globals=None, locals=None, fromlist=(), level=0):
    if globals and str(globals.get("__name__")).partition(".")[0] in ours:
        asked.update([name, *(f"{name}.{part}" for part in fromlist or ())])
    return plain(name, globals, locals, fromlist, level)
builtins.__import__ = watched
exec(sys.argv[1])
print(json.dumps(sorted(asked)))
"""

LANGCHAINS = ("langchain", "langchain_core", "langgraph")
COMFORTS = ("IPython", "cryptography", "matplotlib", "opentelemetry", "psycopg", "redis", "rich", "wordllama")
WHOLE_LANGGRAPH = ("graph", "pregel", "prebuilt", "types", "runtime", "config")


def _run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    # A PYTHONPATH would let the checkout stand in for what was not installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def _pip(*arguments: str | Path, cwd: Path) -> None:
    done = _run(*PIP, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


def _environment(extra: str, *, wheel: Path, folder: Path) -> Path:
    """The interpreter of a new environment in `folder` that holds the wheel with `extra`, and no pip."""
    made = _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=wheel.parent)
    assert made.returncode == 0, made.stderr
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if RESOLVED:
        wanted = f"{wheel}[{extra}]" if extra else str(wheel)
        _pip("--python", python, "install", "--no-compile", wanted, cwd=wheel.parent)
        return python
    _pip("--python", python, "install", "--no-compile", "--no-deps", wheel, cwd=wheel.parent)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    needed = _needed(_metadata(wheel).get_all("Requires-Dist", []), extra)
    for found in needed.values():
        _link(found, packages)
    return python


def _needed(own: list[str], extra: str) -> dict[str, Distribution]:
    """What has to be installed for `extra`, by name, as it is installed here; `own` are the wheel's requirements."""
    needed: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(PROJECT["name"], name) for name in {"", extra}]
    while todo:
        name, wanted = todo.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        requires = own if name == PROJECT["name"] else needed[name].requires or []
        for one in map(Requirement, requires):
            if one.marker is not None and not one.marker.evaluate({"extra": wanted}):
                continue
            asked = canonicalize_name(one.name)
            if asked != PROJECT["name"]:
                needed[asked] = distribution(asked)
                assert one.specifier.contains(needed[asked].version, prereleases=True), f"{name} needs {one}"
            todo += [(asked, part) for part in ("", *one.extras)]
    return needed


def _link(found: Distribution, packages: Path) -> None:
    """Let `packages` have every file of a distribution."""
    for file in found.files or ():
        place = packages / file
        if ".." not in file.parts:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(str(file.locate()))


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(path).decode())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout that also holds what must stay out of it."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"
    unwanted = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
    for name in ("core", "langchain_session", "llamaindex_session", "tests"):
        shutil.copytree(ROOT / name, checkout / name, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore"):
        shutil.copy(ROOT / name, checkout / name)
    _pip("wheel", "--no-deps", "--wheel-dir", folder, checkout, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environments(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """One interpreter for each of `PROMISED`; two installs run at a time."""
    folder = tmp_path_factory.mktemp("environments")
    with ThreadPoolExecutor(max_workers=2) as pool:
        installs = {
            extra: pool.submit(_environment, extra, wheel=wheel, folder=folder / (extra or "bare"))
            for extra in PROMISED
        }
        return {extra: install.result() for extra, install in installs.items()}


@pytest.fixture(scope="module")
def content(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    return _metadata(wheel)


def test_the_source_distribution_has_every_folder_that_the_tests_read() -> None:
    read = {
        path.relative_to(ROOT).parts[0] for ending in ("py", "md", "ipynb") for path in ROOT.glob(f"*/**/*.{ending}")
    }
    folders = {name for name in read if not name.startswith(".") and name not in ("build", "dist")}
    included = CONFIGURED["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert folders <= {path.strip("/").partition("/")[0] for path in included}


@pytest.mark.slow
def test_the_wheel_holds_the_three_packages_and_nothing_beside_them(content: frozenset[str]) -> None:
    tops = {name.partition("/")[0] for name in content}
    assert tops == {*SOURCES, f"llm_sessions-{PROJECT['version']}.dist-info"}


@pytest.mark.slow
@pytest.mark.parametrize("package", SOURCES)
def test_the_wheel_holds_every_file_of_a_package(package: str, content: frozenset[str]) -> None:
    files = {
        path.relative_to(SOURCES[package]).as_posix()
        for path in (SOURCES[package] / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert f"{package}/py.typed" in files
    assert {name for name in content if name.startswith(f"{package}/")} == files


@pytest.mark.slow
def test_the_wheel_tells_its_version_licence_and_extras(metadata: Message) -> None:
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])


@pytest.mark.slow
def test_the_text_for_a_package_index_needs_no_checkout(metadata: Message) -> None:
    text = str(metadata.get_payload())
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "from langchain_session import SessionSaver" in text
    assert re.findall(r"\]\((?!https?://)", text) == []
    assert "make demo" not in text


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("extra", PROMISED, ids=lambda extra: extra or "no extra")
def test_what_an_extra_promises_works_with_that_extra_alone(
    extra: str, environments: Mapping[str, Path], tmp_path: Path
) -> None:
    done = _run(environments[extra], "-I", "-c", PROMISED[extra], cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_package_called_core_is_installed(environments: Mapping[str, Path], tmp_path: Path) -> None:
    done = _run(environments[""], "-I", "-c", "import core", cwd=tmp_path)
    assert "ModuleNotFoundError: No module named 'core'" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("extra", ["", "cli"], ids=lambda extra: extra or "no extra")
def test_the_command_answers_with_and_without_pictures(
    extra: str, environments: Mapping[str, Path], tmp_path: Path
) -> None:
    done = _run(environments[extra].parent / "llm-sessions", "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


@pytest.mark.parametrize(
    ("names", "foreign"),
    [
        pytest.param(CORE_NAMES, ("llama_index", *LANGCHAINS, *COMFORTS), id="core"),
        pytest.param(
            HISTORY_NAMES,
            ("llama_index", "langchain", *(f"langgraph.{part}" for part in WHOLE_LANGGRAPH), *COMFORTS),
            id="langchain",
        ),
        pytest.param(GRAPH_NAMES, ("llama_index", *COMFORTS), id="langgraph"),
        pytest.param(LLAMAINDEX_NAMES, (*LANGCHAINS, *COMFORTS), id="llamaindex"),
    ],
)
def test_importing_one_package_never_imports_what_another_extra_installs(
    names: str, foreign: tuple[str, ...], tmp_path: Path
) -> None:
    done = _run(sys.executable, "-c", WATCH, names, json.dumps(list(SOURCES)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    asked = json.loads(done.stdout)
    assert [name for name in asked if any(f"{name}.".startswith(f"{part}.") for part in foreign)] == []
