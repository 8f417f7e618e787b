"""Answers in Markdown: code stays as it is, a table's rows stand under its columns."""

from __future__ import annotations

import pytest

from session_core.passages.answer_parts import answer_parts
from session_core.passages.reading import read
from session_core.passages.telegram import to_telegram_style
from session_core.turns import Message, Role

ANSWER = """Here is the script that you asked for:

```sql
select a from the_log
  where it is not null
```

| Field | Unit | Limit |
|---|---|---|
| depth | m | 40 |
| flow | l/s | 12 |

Run it at night."""


def test_an_answer_is_prose_code_and_tables_in_its_order() -> None:
    assert [kind for kind, part in answer_parts(ANSWER) if part.strip()] == [
        "prose", "code", "table", "prose",
    ]  # fmt: skip


def test_code_is_quoted_as_it_is_and_the_prose_around_it_in_a_telegrams_words() -> None:
    passages = {passage.text: passage for passage in read(Message(Role.ASSISTANT, ANSWER), len).passages}

    assert passages["select a from the_log"].brief == ""
    assert passages["where it is not null"].brief == ""
    assert passages["Here is the script that you asked for:"].brief == "Here script asked for:"


def test_rows_of_an_answers_table_name_their_columns_once() -> None:
    rows = [passage for passage in read(Message(Role.ASSISTANT, ANSWER), len).passages if passage.schema]

    assert [(row.schema, row.text) for row in rows] == [
        ("(Field | Unit | Limit):", "depth | m | 40"),
        ("(Field | Unit | Limit):", "flow | l/s | 12"),
    ]


def test_between_marks_of_code_no_word_is_left_out() -> None:
    assert to_telegram_style("Then you can run `do it as a user` in the shell") == "Then run `do it as a user` in shell"


@pytest.mark.parametrize("text", ["Only ```half a fence", "~~~\nnever closed\n", "| one bar |", "`a` ` b", ""])
def test_truncated_markdown_loses_nothing(text: str) -> None:
    said = "".join(part for _, part in answer_parts(text))

    assert all(word in said for word in text.replace("~", " ").split())
