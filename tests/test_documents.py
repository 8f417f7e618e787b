"""The documents lead somewhere: links, headings, and the files that decisions name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INDEX = ROOT / "docs" / "decisions.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), *DECISIONS]
CODE = [ROOT / name for name in ("core", "langchain_session", "llamaindex_session", "benchmarks", "tests")]


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _anchor(heading: str) -> str:
    """What a heading is linked by, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _anchors(document: Path) -> set[str]:
    return {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.M)}


def _places(document: Path) -> list[tuple[Path, str]]:
    """The file and the anchor of each link in `document` that stays in the repository."""
    links = re.findall(r"\]\((?!https?:)([^()#\s]*)#?([^()\s]*)\)", document.read_text(encoding="utf-8"))
    return [((document.parent / path).resolve() if path else document, anchor) for path, anchor in links]


def _in_code(name: str) -> bool:
    return (ROOT / name).is_file() or any(any(folder.rglob(name)) for folder in CODE)


def _is_there(path: Path, anchor: str) -> bool:
    return path.exists() and (not anchor or anchor in _anchors(path))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    lost = [f"{_named(path)}#{anchor}" for path, anchor in _places(document) if not _is_there(path, anchor)]
    assert lost == []


@pytest.mark.parametrize("decisions", DECISIONS, ids=_named)
def test_the_index_names_every_decision(decisions: Path) -> None:
    wanted = {_anchor(heading) for heading in re.findall(r"^## (.+)$", decisions.read_text(encoding="utf-8"), re.M)}
    assert wanted - {anchor for path, anchor in _places(INDEX) if path == decisions} == set()


def test_the_index_can_be_read_at_one_sitting() -> None:
    assert len(INDEX.read_text(encoding="utf-8").splitlines()) < 100


@pytest.mark.parametrize("document", DECISIONS, ids=_named)
def test_the_files_that_decisions_name_are_there(document: Path) -> None:
    named = re.findall(r"`((?:\w+/)*\w+\.(?:py|lua|sql))`", document.read_text(encoding="utf-8"))
    assert [name for name in named if not _in_code(name)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_no_document_has_the_marks_of_a_merge(document: Path) -> None:
    """Python files with them do not even parse; a document just looks odd."""
    marks = [line for line in document.read_text(encoding="utf-8").splitlines() if re.match(r"<{7} |={7}$|>{7} ", line)]
    assert marks == []
