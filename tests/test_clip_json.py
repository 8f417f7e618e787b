"""What a clip keeps of JSON, of rows and of what is read like them."""

from __future__ import annotations

import json
from typing import Any

from clipping import clipped


def orders(total: int = 500, failed: int = 333) -> list[dict[str, Any]]:
    return [
        {
            "id": f"ord_{1000 + n}",
            "status": "payment_failed" if n == failed else "shipped",
            "price": f"{n}.50",
            "currency": "EUR",
            "note": "Please leave the parcel with the neighbour. " * 3,
        }
        for n in range(total)
    ]


def test_the_failed_row_among_500_survives() -> None:
    result = clipped(json.dumps({"ok": True, "total": 500, "results": orders()}))
    assert result.kind == "json"
    assert "ord_1333 | payment_failed" in result.text
    assert '"total":500' in result.text


def test_the_schema_of_like_rows_is_written_once() -> None:
    text = clipped(json.dumps(orders())).text
    assert text.count("status") == 1
    assert "id | status | price" in text
    assert "every row: currency = EUR" in text


def test_the_first_and_the_last_row_survive() -> None:
    text = clipped(json.dumps(orders())).text
    assert "ord_1000" in text
    assert "ord_1499" in text


def test_rows_with_asked_for_words_come_before_others() -> None:
    rows = [{**row, "note": f"Deliver to door {n} please"} for n, row in enumerate(orders())]
    rows[222]["note"] = "Deliver to Lisbon please"
    assert "ord_1222" in clipped(json.dumps(rows), 150, "lisbon").text
    assert "ord_1222" not in clipped(json.dumps(rows), 150).text


def test_the_cheapest_and_the_dearest_row_survive() -> None:
    rows = [{"flight": f"TP{n}", "price": 500 + n % 7} for n in range(300)]
    rows[123]["price"], rows[210]["price"] = 49, 4999
    text = clipped(json.dumps(rows), 120).text
    assert "TP123 | 49" in text
    assert "TP210 | 4999" in text


def test_pretty_json_that_fits_without_white_space_is_whole() -> None:
    value = {"order": {"id": 4711, "lines": [1, 2, 3]}, "status": "ok"}
    text = clipped(json.dumps(value, indent=12), 40).text
    assert json.loads(text.splitlines()[0]) == value
    assert "nothing left out" in clipped(json.dumps([value] * 2, indent=40), 100).text


def test_identifying_values_and_errors_stay_before_long_prose() -> None:
    value = {
        "description": "A long story. " * 200,
        "history": "More of it. " * 200,
        "order_id": "A-4711",
        "status": "failed",
        "error": {"code": 1205, "message": "Lock wait timeout exceeded"},
        "price": "10.50",
    }
    text = clipped(json.dumps(value), 100).text
    assert all(said in text for said in ("A-4711", "failed", "Lock wait timeout exceeded", "10.50"))
    assert "left out" in text


def test_numbers_keep_the_form_they_were_written_in() -> None:
    text = '{"price": 10.50, "big": 12345678901234567890123, "note": "' + "x" * 900 + '"}'
    assert '"price":10.50,"big":12345678901234567890123' in clipped(text, 60).text


def test_deep_parts_are_reduced_to_their_shape() -> None:
    deep = {f"key{n}": [f"{part}{n}" * 20 for part in range(12)] for n in range(40)}
    text = clipped(json.dumps({"id": 1, "deep": deep, "list": [[n] * 9 for n in range(240)]}), 60).text
    assert '"key0":"[12 items]"' in text
    assert '"id":1' in text


def test_json_lines_are_read_as_rows() -> None:
    text = "\n".join(json.dumps(row) for row in orders())
    result = clipped(text)
    assert result.kind == "json"
    assert "ord_1333 | payment_failed" in result.text


def test_json_behind_a_few_words_keeps_the_words() -> None:
    result = clipped("Found 500 orders:\n" + json.dumps(orders()) + "\nDone.")
    assert result.kind == "json"
    assert result.text.startswith("Found 500 orders:")
    assert "Done." in result.text
    assert "ord_1333 | payment_failed" in result.text


def test_json_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = json.dumps(orders())
    result = clipped(whole[: len(whole) * 8 // 10] + "... [truncated]")
    assert result.kind == "json"
    assert "the JSON is cut off" in result.text
    assert "ord_1333 | payment_failed" in result.text


def test_what_python_prints_is_read_like_json() -> None:
    rows = [{"id": n, "name": f"it's {n}", "gone": None, "ok": n != 77} for n in range(200)]
    result = clipped(str(rows), 100)
    assert result.kind == "json"
    assert "77 | it's 77 | false" in result.text


def test_json_inside_a_text_of_json_is_clipped_as_json() -> None:
    text = clipped(json.dumps([{"type": "text", "text": json.dumps(orders())}])).text
    assert "ord_1333 | payment_failed" in text
    assert "of 500 rows left out" in text


def test_a_log_inside_json_keeps_its_error() -> None:
    log = "\n".join(f"2024-05-01 12:00:{n % 60:02d} INFO tick {'ab' * (n % 5)} {n}" for n in range(400))
    value = {"exit_code": 1, "stdout": log + "\n2024-05-01 12:59:00 ERROR disk full on db-7\n" + log}
    text = clipped(json.dumps(value)).text
    assert "disk full on db-7" in text
    assert '"exit_code":1' in text


def test_a_map_of_like_objects_is_a_table_with_its_keys() -> None:
    text = clipped(json.dumps({f"A{n}": {"status": "ok", "price": n} for n in range(300)}), 80).text
    assert "(key) | price" in text
    assert "A299 | 299" in text


def test_no_key_that_is_there_twice_is_lost() -> None:
    text = '{"a": 1, "a": 2, "pad": "' + "x" * 500 + '"}'
    assert '"a":1,"a (2)":2' in clipped(text, 50).text


def test_a_wide_table_says_which_columns_it_leaves_out() -> None:
    rows = [{f"field_{c}": f"value {c} {n}" for c in range(60)} | {"id": n} for n in range(50)]
    text = clipped(json.dumps(rows), 150).text
    assert "53 of 61 columns left out" in text
    assert text.splitlines()[2].endswith(" | id")
