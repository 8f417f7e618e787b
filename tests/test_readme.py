"""The README is under 150 lines, and its examples run as they stand."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_readme_is_under_150_lines():
    assert len(README.read_text(encoding="utf-8").splitlines()) < 150


def test_there_is_an_example_for_each_way_in():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("example", EXAMPLES, ids=["langgraph", "langchain", "llamaindex", "plain", "moving"])
def test_the_example_runs(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {"__name__": "example"})
    said = capsys.readouterr().out
    assert len(said) > 3
    assert "Error" not in said
