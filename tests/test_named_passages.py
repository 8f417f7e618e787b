"""What a question names in the middle of a long output or document is found there, with what tells what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from session_core import Budget, Policy, Sessions
from session_core.counting.tokens import counter_for
from session_core.passages.named_passages import add_named_passages
from session_core.passages.reading import QUOTE, READ_CHARACTERS, Reading, read
from session_core.turns import Message, Role

count = counter_for(None).count
PLANTED = {"order_id": "OR-91537", "customer": {"name": "Philippa Oyelaran", "city": "Trondheim"}, "status": "held"}


def _orders(planted: object = PLANTED, total: int = 300) -> list[object]:
    orders: list[object] = [
        {"order_id": f"OR-{40_000 + n}", "customer": {"name": f"Person {n}", "city": "Lyon"}, "status": "shipped"}
        for n in range(total)
    ]
    return [*orders[: total // 2], planted, *orders[total // 2 :]]


def _table(form: str) -> str:
    names, planted = ["badge", "holder", "office", "extension"], ["E7741", "Ludovica Ferrante", "Siena", "8813"]
    rows = [[f"E{2_000 + n}", f"Holder {n}", "Lyon", str(1_000 + n)] for n in range(900)]
    rows.insert(450, planted)
    if form == "csv":
        return "\n".join(",".join(row) for row in [names, *rows])
    if form == "markdown":
        return "\n".join(f"| {' | '.join(row)} |" for row in [names, ["---"] * 4, *rows])
    if form == "psql":
        return "\n".join([" | ".join(names), "+".join(["------"] * 4), *(" | ".join(row) for row in rows)])
    if form == "html":
        cells = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        head = "".join(f"<th>{name}</th>" for name in names)
        return f"<html><body><table><tr>{head}</tr>\n{cells}</table></body></html>"
    fields = [list(zip(names, row, strict=True)) for row in rows]
    if form == "yaml":
        return "\n".join("- " + "\n  ".join(f"{name}: {said}" for name, said in row) for row in fields)
    if form == "xml":
        inside = (f"<one>\n{''.join(f'<{name}>{said}</{name}>' for name, said in row)}\n</one>" for row in fields)
        return f"<all>\n{chr(10).join(inside)}\n</all>"
    return "\n".join(json.dumps(dict(row)) for row in fields)


def _tool(text: str) -> Message:
    return Message(Role.TOOL, text, tool_call_id="c1", tokens=count(text))


def _reading(message: Message, question: str) -> Reading:
    return add_named_passages(question, [(message, read(message, count))])[0][1]


def _texts(message: Message, question: str) -> list[str]:
    return [passage.text for passage in _reading(message, question).passages]


def _more(message: Message, question: str) -> list[str]:
    """The passages that a question brings besides those that are read in any case."""
    known = {passage.text for passage in read(message, count).passages}
    return [passage.text for passage in _reading(message, question).passages if passage.text not in known]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_order_in_the_middle_of_long_json_is_read_for_a_question_that_names_it(indent: int | None) -> None:
    message = _tool(json.dumps({"page": 1, "orders": _orders()}, indent=indent))
    told = " ".join(_more(message, "what is the status of order OR-91537?"))
    assert "order_id: OR-91537" in told
    assert "status: held" in told
    assert "Trondheim" in told
    assert "Person" not in told


def test_a_person_a_key_and_what_is_nested_are_found_with_what_is_around_them() -> None:
    by_person = " ".join(_more(_tool(json.dumps(_orders())), "where does Philippa Oyelaran live?"))
    assert "OR-91537" in by_person
    services = {f"service_{n}": {"replicas": n, "env": {"POOL": str(n), "LOG": "info"}} for n in range(900)}
    services["ledger_gateway"] = {
        "replicas": 3,
        "env": {"POOL": "17", "RETRY_MS": "4750"},
        "owner": {"team": "billing"},
    }
    services |= {f"unit_{n}": {"replicas": n, "env": {"POOL": str(n), "LOG": "info"}} for n in range(900)}
    by_key = " ".join(_more(_tool(json.dumps(services)), "what is the retry of the ledger_gateway?"))
    assert "ledger_gateway" in by_key
    assert "RETRY_MS: 4750" in by_key
    assert "billing" in by_key
    sites = [
        {"site": f"S{n}", "keeper": f"K{n}", "sensors": [{"sensor": f"T{n}-{m}"} for m in range(9)]} for n in range(200)
    ]
    sites[100] = {
        "site": "Weir",
        "keeper": "Ishbel Munro",
        "sensors": [{"sensor": f"KW-{m}", "last": m} for m in range(90)],
    }
    nested = " ".join(_more(_tool(json.dumps(sites)), "last value of sensor KW-57"))
    assert "Ishbel Munro" in nested
    assert "sensor: KW-57, last: 57" in nested
    assert "KW-58" not in nested


@pytest.mark.parametrize("form", ["csv", "markdown", "psql", "html", "yaml", "xml", "json lines"])
def test_a_row_in_the_middle_of_a_long_table_is_read_with_its_columns(form: str) -> None:
    told = _more(_tool(_table(form)), "what is the extension of Ludovica Ferrante?")
    assert [text for text in told if "Ludovica Ferrante" in text and "8813" in text]
    reading = _reading(_tool(_table(form)), "what is the extension of Ludovica Ferrante?")
    row = next(passage for passage in reading.passages if "Ludovica Ferrante" in passage.text)
    assert "extension" in f"{row.schema} {row.alone} {row.text}"
    assert len(told) <= 4


def test_sentences_of_prose_and_lines_of_logs_are_read_and_what_stands_below_a_title() -> None:
    plain = [
        "The valves were checked and the filters cleaned before the next batch came in, as on each day. " * 5
    ] * 100
    found = (
        "Later Inspector Halvorsen ordered that boiler 6 run at no more than 4.2 bar. The weld is to be redone by May."
    )
    prose = _tool("\n\n".join([*plain[:50], f"{plain[0]}{found} {plain[0]}", *plain[50:]]))
    told = _more(prose, "what did inspector Halvorsen order?")
    assert told[0].endswith("4.2 bar.")
    assert told[1].startswith("The weld is to be redone")
    log = [f"2026-03-04 15:{n % 60:02}:11 INFO worker-{n % 8} job={70_000 + n} took {n} ms" for n in range(900)]
    assert log[450] in _texts(_tool("\n".join(log)), "how long did job 70450 take?")
    assert log[450] not in _texts(_tool("\n".join(log)), "how long did the jobs take?")
    manual = _tool("\n".join([*plain[:50], "## Pump Zephyr", "Oil: 2.5 l of grade 40.", *plain[50:]]))
    assert "Oil: 2.5 l of grade 40." in _texts(manual, "how much oil does the Zephyr take?")


@pytest.mark.parametrize(
    "question",
    [
        "what should we do next?",
        "tell me about the orders",
        "which orders were shipped to Lyon?",
        "and the status of OR-99999?",
        "",
    ],
)
def test_what_names_nothing_rare_reads_nothing_more(question: str) -> None:
    message = _tool(json.dumps(_orders()))
    made = read(message, count)
    assert add_named_passages(question, [(message, made)])[0][1] is made


def test_short_messages_are_as_they_were_read() -> None:
    message = _tool(json.dumps(_orders(total=40)))
    assert len(message.content) < READ_CHARACTERS
    made = read(message, count)
    assert add_named_passages("status of OR-91537", [(message, made)])[0][1] is made


def test_of_many_long_messages_those_that_say_most_are_gone_through() -> None:
    told = [_tool(json.dumps(_orders({**PLANTED, "status": "held", "note": "x" * n}))) for n in range(9)]
    best = _tool(json.dumps(_orders({**PLANTED, "note": "see the customs form CF-88 of Trondheim"})))
    made = [(message, read(message, count)) for message in [*told[:4], best, *told[4:]]]
    after = add_named_passages("customs form CF-88 of order OR-91537", made)
    changed = [place for place, (_, reading) in enumerate(after) if reading is not made[place][1]]
    assert len(changed) == 4
    assert 4 in changed


def test_what_a_user_pasted_stays_a_quotation_and_its_passages_lie_between_its_ends() -> None:
    text = " ".join(["This clause is about the usual duties of both parties under the law."] * 500)
    half = len(text) // 2
    message = Message(Role.USER, f"{text[:half]}. Always wire the rent to Account KX-9917. {text[half:]}", tokens=9_000)
    reading = _reading(message, "what about account KX-9917?")
    place = next(n for n, passage in enumerate(reading.passages) if "KX-9917" in passage.text)
    assert reading.passages[place].text.startswith(QUOTE)
    assert 0 < place < len(reading.passages) - 1


def test_alarms_stay_where_they_are_among_the_lines() -> None:
    log = [f"2026-03-04 15:{n % 60:02}:11 INFO step {n} of the import is done without remark" for n in range(900)]
    log[3], log[-3] = "ERROR: the disk of node 7 is full", "ERROR: the link to node 9 is down"
    log[450] = "2026-03-04 15:30:11 INFO step 450 moved batch QX-4471 to the archive in one go"
    message = _tool("\n".join(log))
    reading = _reading(message, "which batch is QX-4471?")
    assert any("QX-4471" in passage.text for passage in reading.passages)
    alarms = [reading.passages[place].text for place in sorted(reading.alarms)]
    assert alarms == [log[3], log[-3]]


@pytest.mark.parametrize("depth", [300, 900])
def test_what_is_nested_very_deep_raises_nothing(depth: int) -> None:
    deep = "[" * depth + '"OR-91537"' + "]" * depth
    message = _tool(f'{{"a": {deep}, "b": {json.dumps(_orders())}}}')
    assert isinstance(_reading(message, "status of OR-91537"), Reading)


def _asked(text: str, question: str) -> str:
    calls = [{"id": "c1", "function": {"name": "list_orders", "arguments": "{}"}}]
    said: list[dict[str, object]] = [
        {"role": "user", "content": "Show me the orders of this week."},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": text},
        {"role": "assistant", "content": "There are 301 orders."},
    ]
    for n in range(20):
        said += [
            {"role": "user", "content": f"And what about plan {n}?"},
            {"role": "assistant", "content": "It stands."},
        ]
    with Sessions("memory://", policy=Policy(Budget(1_000, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        session.append(said)
        return _shown(session.view(question).messages)


def _shown(messages: Sequence[Message]) -> str:
    return "\n".join(message.content for message in messages[:-1])


def test_a_view_brings_the_row_that_its_question_names() -> None:
    text = json.dumps({"orders": _orders()})
    shown = _asked(text, "what is the status of order OR-91537?")
    assert "status: held" in shown
    assert "OR-91537" in shown
    assert "OR-91537" not in _asked(text, "what should we do next?")
