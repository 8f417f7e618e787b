"""The oldest versions that are allowed: what `make test-floors` installs."""

import pytest
from floors import PROJECT, floors

PACKAGE = """
[project]
name = "thing"
dependencies = ["one>=1.10"]
[project.optional-dependencies]
some = ["two[fast]>=2,<3", "thing[more]"]
more = ["three>=0.4.0.post1,<0.5", "one>=1.10"]
dev = ["four"]
"""


def test_every_extra_but_those_for_work_on_it_is_taken_at_its_lowest():
    assert sorted(floors(PACKAGE)) == [("one", "1.10"), ("three", "0.4.0.post1"), ("two", "2")]


def test_what_has_no_floor_is_named():
    with pytest.raises(ValueError, match="five has no floor"):
        list(floors(PACKAGE.replace('"two[fast]>=2,<3"', '"five"')))


def test_all_of_ours_have_one_floor_each():
    told = list(floors(PROJECT.read_text("utf-8")))
    assert {"langchain-core", "langgraph", "langchain", "llama-index-core", "redis", "psycopg"} <= {n for n, _ in told}
    assert len({name for name, _ in told}) == len(told)
