"""Outputs that are no JSON are read by their records: what belongs to one thing stands on one line."""

from __future__ import annotations

import time

import pytest

from session_core.passages.json_passages import rows
from session_core.passages.reading import read
from session_core.passages.records import records
from session_core.turns import Message, Role

TREES = [
    {"species": "hornbeam", "tag": "HB-2207", "height": "11 m"},
    {"species": "rowan", "tag": "RW-0931", "height": "6 m"},
    {"species": "black alder", "tag": "BA-5518", "height": "14 m"},
]
XML = """<?xml version="1.0"?>
<park>
  <tree><species>hornbeam</species><tag>HB-2207</tag><height>11 m</height></tree>
  <tree>
    <species>rowan</species>
    <tag>RW-0931</tag>
    <height>6 m</height>
  </tree>
  <tree species="black alder" tag="BA-5518" height="14 m"/>
</park>"""
HTML = """<html><body><h2>Trees</h2><table>
<tr><th>species</th><th>tag</th><th>height</th></tr>
<tr>
  <td>hornbeam</td>
  <td>HB-2207</td>
  <td>11 m</td>
</tr>
<tr><td>rowan</td><td>RW-0931</td><td>6 m</td></tr>
<tr><td>black alder</td><td>BA-5518</td><td>14 m</td></tr>
</table></body></html>"""
YAML = """trees:
  - species: hornbeam
    tag: HB-2207
    height: 11 m
  - species: rowan
    tag: RW-0931
    height: 6 m
  - species: black alder
    tag: BA-5518
    height: 14 m
"""
YAML_AT_THE_MARGIN = YAML.replace("\n  ", "\n")
BLOCKS = """species: hornbeam
tag: HB-2207
height: 11 m

species: rowan
tag: RW-0931
height: 6 m

species: black alder
tag: BA-5518
height: 14 m
"""
EXPANDED = """-[ RECORD 1 ]-------
species | hornbeam
tag     | HB-2207
height  | 11 m
-[ RECORD 2 ]-------
species | rowan
tag     | RW-0931
height  | 6 m
-[ RECORD 3 ]-------
species | black alder
tag     | BA-5518
height  | 14 m
"""
TO_THE_RIGHT = """*************************** 1. row ***************************
species: hornbeam
    tag: HB-2207
 height: 11 m
*************************** 2. row ***************************
species: rowan
    tag: RW-0931
 height: 6 m
*************************** 3. row ***************************
species: black alder
    tag: BA-5518
 height: 14 m
"""
CSV = "species,tag,height\nhornbeam,HB-2207,11 m\nrowan,RW-0931,6 m\nblack alder,BA-5518,14 m\n"
MARKDOWN = """| species | tag | height |
|---|---|---|
| hornbeam | HB-2207 | 11 m |
| rowan | RW-0931 | 6 m |
| black alder | BA-5518 | 14 m |"""
UNDER_HEADINGS = """3 trees found:
* hornbeam
    - tag: HB-2207
    - height: 11 m
* rowan
    - tag: RW-0931
    - height: 6 m
* black alder
    - tag: BA-5518
    - height: 14 m
"""
NUMBERED = """1. hornbeam
Tag: HB-2207
Height: 11 m

2. rowan
Tag: RW-0931
Height: 6 m

3. black alder
Tag: BA-5518
Height: 14 m
"""


@pytest.mark.parametrize(
    "text",
    [XML, HTML, YAML, YAML_AT_THE_MARGIN, BLOCKS, EXPANDED, TO_THE_RIGHT, CSV, MARKDOWN, UNDER_HEADINGS, NUMBERED],
    ids=["xml", "html", "yaml", "yaml-margin", "blocks", "expanded", "right", "csv", "markdown", "bullets", "numbered"],
)
def test_a_record_is_one_row_however_it_was_written(text: str) -> None:
    told = [row.text for row in rows(records(text))]

    for tree in TREES:
        assert any(all(value in line for value in tree.values()) for line in told)


def test_columns_are_named_once_for_the_records_of_a_list() -> None:
    passages = read(Message(Role.TOOL, YAML, tool_call_id="c1"), len).passages

    assert {passage.schema for passage in passages} == {"trees (species | tag | height):"}
    assert [passage.text for passage in passages][1] == "rowan | RW-0931 | 6 m"


def test_what_is_nested_says_under_what_it_stood() -> None:
    ports = "  ports:\n  - number: 8443\n    name: tls\n  - number: 8080\n    name: plain\n"

    assert [(row.schema, row.text) for row in rows(records(f"kind: Deployment\nspec:\n{ports}"))] == [
        ("", "kind: Deployment"),
        ("spec.ports (number | name):", "8443 | tls"),
        ("spec.ports (number | name):", "8080 | plain"),
    ]


def test_a_value_that_goes_on_in_the_next_line_is_one_value() -> None:
    text = "[1] Title: Alders\nText: They like wet\n  feet.\n\n[2] Title: Rowans\nText: Birds like them.\n"

    assert records(text) == [
        {"Title": "Alders", "Text": "They like wet feet."},
        {"Title": "Rowans", "Text": "Birds like them."},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "def grow(tree):\n    height: int = 3\n    if tree:\n        return height\n    else:\n        pass\n",
        "INFO: begun\nINFO: trees read\nWARNING: two have no tag\nINFO: done\n",
        "<code>0</code>\n<output>\none line\nanother line\na third\nmore of it\nand the last\n</output>",
        "The hornbeam was cut.\nIt had stood there: for eighty years.\nNobody knew why.\nThe rowan stays.\n",
        "TREE       TAG      HEIGHT\nhornbeam   HB-2207  11 m\nrowan      RW-0931  6 m\nalder      BA-5518  14 m\n",
        "src/park.py:12:    tag = 3\nsrc/park.py:19:    tag = 4\nsrc/gate.py:2:import park\n",
        "",
    ],
    ids=["code", "log", "between tags", "prose", "columns of blanks", "matches", "nothing"],
)
def test_a_text_that_tells_no_records_is_none(text: str) -> None:
    assert records(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "<park>" + "<tree tag='x'>oak</tree>" * 9_000 + "</park>",
        "<park>" + "<row>" * 3 + "<tree tag='x'>oak</tree>" * 900,
        "<park>" + ("<row>" + "<tree tag='x'>oak</tree>" * 60 + "</row>") * 60 + "</park>",
        "tag:\n  - a: b\n" * 1_500,
    ],
)
def test_reading_many_elements_takes_no_time(text: str):
    began = time.thread_time()
    assert records(text) is not None
    assert time.thread_time() - began < 2.0
