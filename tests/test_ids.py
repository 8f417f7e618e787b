"""Fresh names: unique in every process, whatever the program does with its own random numbers."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

from session_core.runtime.ids import fresh_id


def test_ids_of_a_forked_process_differ_from_its_parents():
    child, parent = os.pipe()
    if os.fork() == 0:
        os.write(parent, fresh_id().encode())
        os._exit(0)
    os.wait()
    assert os.read(child, 64).decode() != fresh_id()


def test_seeding_the_random_module_does_not_repeat_ids():
    random.seed(7)
    first = fresh_id()
    random.seed(7)
    assert fresh_id() != first


def test_threads_get_different_ids():
    with ThreadPoolExecutor(8) as threads:
        names = [*threads.map(lambda _: fresh_id(), range(20_000))]
    assert len({*names}) == len(names)
