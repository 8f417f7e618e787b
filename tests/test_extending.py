"""The examples of docs/extending.md run as they stand, and say what they are there to say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "extending.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
SAID = ["must_keep my-tokenizer\n", "['new', 'case-7']\n", "Sessions('Quota')\n"]


@pytest.mark.parametrize(
    ("example", "said"), list(zip(EXAMPLES, SAID, strict=True)), ids=["helpers", "retention", "store"]
)
def test_the_example_runs(example: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example, str(PAGE), "exec", dont_inherit=True), {"__name__": "example"})
    assert capsys.readouterr().out == said
