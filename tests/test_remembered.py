"""What was made before: the same object again, within its room, and in peace with several threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from session_core.serial.remembered import Remembered


def test_a_value_is_made_once_and_is_the_same_object_again():
    memory = Remembered[list[int]](100)
    first = memory.get(b"key", lambda: [1], size=5)
    assert memory.get(b"key", lambda: [2], size=5) is first


def test_what_is_asked_for_stays_and_what_is_not_goes_within_the_room():
    memory = Remembered[object](100)
    kept = memory.get("kept", object)
    for number in range(1_000):
        memory.get(number, object)
        assert memory.get("kept", object) is kept
        assert len(memory._newer) + len(memory._older) <= 102
    gone = object()
    assert memory.get(0, lambda: gone) is gone


def test_what_would_take_most_of_the_room_is_not_kept():
    memory = Remembered[object](100)
    first = memory.get("large", object, size=50)
    assert memory.get("large", object, size=50) is not first


@pytest.fixture
def switching_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_fill_it_at_once_get_their_own_values(switching_often):
    memory = Remembered[tuple[int, int]](64)

    def fill(writer: int) -> bool:
        return all(memory.get((writer, n), lambda n=n: (writer, n)) == (writer, n) for n in range(20_000))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(fill, range(8)))
