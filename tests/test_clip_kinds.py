"""What a clip keeps of each kind of text: the part that somebody will ask about."""

from __future__ import annotations

import csv
import io

import pytest
from clipping import clipped, log

# Tables


def table(delimiter: str) -> str:
    rows = [["order_id", "date", "product", "status"]]
    rows += [[str(n), f"2024-03-{n % 28 + 1:02d}", f"Widget {n % 7}", "ok"] for n in range(500)]
    rows[334][3] = "error"
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_odd_row_of_a_delimited_table_survives_under_one_header(delimiter: str) -> None:
    result = clipped(table(delimiter), 120)
    assert result.kind == "table"
    assert result.text.count("order_id") == 1
    assert "333 | 2024-03-26 | Widget 4 | error" in result.text
    assert "499 | 2024-03-24 | Widget 2 | ok" in result.text


def test_a_table_of_a_database_keeps_header_odd_row_and_footer() -> None:
    lines = [" id | name    | state", "----+---------+-------"]
    lines += [f" {n:3d} | user {n} | {'locked' if n == 61 else 'active'}" for n in range(90)]
    result = clipped("\n".join([*lines, "(90 rows)"]), 80)
    assert result.kind == "table"
    assert "id | name | state" in result.text
    assert "61 | user 61 | locked" in result.text
    assert "(90 rows)" in result.text


def test_columns_of_spaces_are_a_table() -> None:
    lines = ["NAME          READY   STATUS             AGE"]
    lines += [f"web-{n:<8}  1/1     {'CrashLoopBackOff' if n == 31 else 'Running':<18} {n}d" for n in range(60)]
    result = clipped("\n".join(lines), 90)
    assert result.kind == "table"
    assert "every row: READY = 1/1" in result.text
    assert "web-31 | CrashLoopBackOff | 31d" in result.text


def test_prose_with_commas_is_no_table() -> None:
    text = "\n".join(f"On day {n}, we walked to the river, and nobody spoke of it again" for n in range(60))
    assert clipped(text, 60).kind == "text"


# Logs


def test_the_error_of_a_log_survives_with_what_belongs_to_it() -> None:
    result = clipped(log(), 120)
    assert result.kind == "log"
    assert "ERROR no connection to db-7" in result.text
    assert "ConnectionError: db-7 refused" in result.text


def test_repeated_lines_of_a_log_are_told_once_with_their_count() -> None:
    text = clipped(log()).text
    assert "heartbeat 0 ok  (×1,778 similar, last 12:29:37)" in text
    assert "heartbeat 1778 ok  (×1,222 similar, last 12:49:59)" in text


def test_an_access_log_keeps_the_failed_request() -> None:
    paths = ["/", "/cart", "/about/us", "/login"]
    lines = [
        f'10.0.0.{n % 9} - - [01/May/2024:12:00:{n % 60:02d} +0000] "GET {paths[n % 4]} HTTP/1.1" 200 {n}'
        for n in range(800)
    ]
    lines[511] = '10.0.0.5 - - [01/May/2024:12:08:31 +0000] "POST /pay HTTP/1.1" 503 17'
    result = clipped("\n".join(lines), 120)
    assert result.kind == "log"
    assert '"POST /pay HTTP/1.1" 503' in result.text


def test_the_error_in_the_middle_of_a_huge_log_survives() -> None:
    lines = [f"2024-05-01 12:00:00 INFO {'tick' if n % 2 else 'tock'} {n}" for n in range(100_000)]
    lines[50_000] = "2024-05-01 12:30:00 ERROR no space left on device"
    text = clipped("\n".join(lines), 150).text
    assert "no space left on device" in text
    assert "of 100,000 lines left out" in text


# Markup


PAGE = (
    "<html><head><title>Flights to Lisbon</title><style>.red{color:red}</style>"
    "<script>var hidden = 'tracker';</script></head><body><h1>Flights &amp; fares</h1>"
    "<p>Book with <a href='/deals'>our deals</a> before 2024-06-01.</p>"
    "<table><tr><th>Flight</th><th>Price</th></tr><tr><td>TP100</td><td>EUR 80</td></tr></table>"
    + "<div class='long wrapper of everything'><p>One cabin bag is included.</p></div>" * 60
    + "</body></html>"
)


def test_a_page_keeps_title_headings_links_and_cells_but_no_script() -> None:
    result = clipped(PAGE)
    assert result.kind == "html"
    for said in ("# Flights to Lisbon", "# Flights & fares", "our deals (/deals)", "TP100 | EUR 80"):
        assert said in result.text
    assert "tracker" not in result.text
    assert "color:red" not in result.text
    assert "<" not in result.text


def test_xml_keeps_the_names_of_its_elements() -> None:
    items = "".join(f"<item id='{n}'><price>{n}.50</price></item>" for n in range(100))
    text = clipped(f"<?xml version='1.0'?><catalog>{items}</catalog>").text
    assert "item (id=0)" in text
    assert "price: 0.50" in text


# Traces


def python_trace() -> str:
    library = '  File "/usr/lib/python3.11/site-packages/web/app.py", line {}, in call_{}\n    return go_{}()\n'
    return (
        "Traceback (most recent call last):\n"
        '  File "/app/shop/main.py", line 12, in main\n    serve()\n'
        + "".join(library.format(n, n, n) for n in range(40))
        + '  File "/app/shop/cart.py", line 42, in total\n    return price["eur"]\n'
        + "KeyError: 'eur'\n\nDuring handling of the above exception, another exception occurred:\n\n"
        + "Traceback (most recent call last):\n"
        + '  File "/app/shop/checkout.py", line 7, in pay\n    raise PayError(4711) from None\n'
        + "shop.errors.PayError: order 4711 has no price\n"
    )


def test_a_python_trace_keeps_exceptions_and_own_innermost_frames() -> None:
    result = clipped(python_trace(), 140)
    assert result.kind == "trace"
    for said in (
        "shop.errors.PayError: order 4711 has no price",
        "KeyError: 'eur'",
        '"/app/shop/cart.py", line 42',
        '"/app/shop/checkout.py", line 7',
    ):
        assert said in result.text


def test_a_java_trace_keeps_the_chain_of_causes() -> None:
    library = "\n".join(f"\tat org.springframework.web.Filter{n}.doFilter(Filter.java:{n})" for n in range(60))
    text = (
        "java.lang.RuntimeException: request failed\n\tat com.acme.Web.handle(Web.java:31)\n"
        f"{library}\nCaused by: java.sql.SQLException: lock timeout\n\tat com.acme.Store.lock(Store.java:88)\n"
        f"{library}\n\t... 40 more"
    )
    result = clipped(text, 100)
    assert result.kind == "trace"
    for said in (
        "RuntimeException: request failed", "Caused by: java.sql.SQLException: lock timeout",
        "Web.java:31", "Store.java:88",
    ):  # fmt: skip
        assert said in result.text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param(
            "TypeError: x is undefined\n    at total (/app/src/cart.js:42:19)\n"
            + "    at next (/app/node_modules/express/lib/route.js:144:13)\n    at go (/app/node_modules/a.js:1:1)\n"
            * 40,
            ["TypeError: x is undefined", "cart.js:42:19"],
            id="JavaScript",
        ),
        pytest.param(
            "panic: no such order\n\ngoroutine 1 [running]:\nmain.handler({0x5a, 0x1})\n\t/home/a/main.go:31 +0x45\n"
            + "".join(f"net/http.serve{n}(0x1)\n\t/usr/local/go/src/net/http/server.go:{n} +0x1\n" for n in range(40)),
            ["panic: no such order", "main.go:31"],
            id="Go",
        ),
        pytest.param(
            "thread 'main' panicked at src/main.rs:12:34:\ncalled unwrap on None\nstack backtrace:\n"
            + "".join(f"  {n}: core::ops::call{n}\n        at /rustc/9c/ops.rs:{n}:5\n" for n in range(40))
            + "  41: shop::cart::total\n        at ./src/cart.rs:42:9\n",
            ["panicked at src/main.rs:12:34", "called unwrap on None", "cart.rs:42:9"],
            id="Rust",
        ),
    ],
)
def test_traces_of_other_languages_keep_what_was_raised_and_where(text: str, kept: list[str]) -> None:
    result = clipped(text, 100)
    assert result.kind == "trace"
    assert [said for said in kept if said not in result.text] == []


def test_endless_recursion_is_told_once() -> None:
    frame = '  File "/app/a.py", line 3, in f\n    return f(n)\n'
    text = "Traceback (most recent call last):\n" + frame * 300 + "RecursionError: too deep\n"
    assert "(×300 alike)" in clipped(text, 80).text


# Text


def test_search_results_keep_every_path() -> None:
    lines = [f"src/part{n // 50}/file.py:{n}: value = compute({n})" for n in range(400)]
    text = clipped("\n".join(lines)).text
    assert [n for n in range(8) if f"part{n}/file.py:" not in text] == []


def test_code_keeps_its_signatures() -> None:
    bodies = "".join(
        f"def step_{n}(value: int) -> int:\n" + "    value = value + 1\n" * 30 + "    return value\n\n\n"
        for n in range(8)
    )
    text = clipped("import json\n\n\n" + bodies, 150).text
    assert [n for n in range(8) if f"def step_{n}(value: int) -> int:" not in text] == []


def test_a_listing_keeps_something_of_every_folder() -> None:
    text = clipped("\n".join(f"./app/part{n // 100}/file{n}.txt" for n in range(500)), 100).text
    assert [n for n in range(5) if f"part{n}/" not in text] == []


def test_prose_keeps_its_beginning_its_end_and_what_was_asked_for() -> None:
    filler = "The weather was mild and nothing much happened in the village that day. " * 60
    text = f"Chapter one begins here. {filler}The key lies under the blue stone. {filler}And so it ended."
    result = clipped(text, 80, "stone")
    assert result.kind == "text"
    for said in ("Chapter one begins here.", "under the blue stone", "And so it ended."):
        assert said in result.text


def test_a_sentence_with_an_amount_stays_before_others() -> None:
    filler = "The weather was mild and nothing much happened in the village that day. " * 40
    assert "EUR 4,711.50" in clipped(f"{filler}The deposit is EUR 4,711.50 in all. {filler}", 80).text


def test_terminal_colours_are_taken_out() -> None:
    text = clipped("\x1b[31mred words\x1b[0m and so on\n" * 200, 40).text
    assert "\x1b" not in text
    assert "red words" in text
