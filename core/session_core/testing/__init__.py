"""A reusable test suite for stores, a strict provider, and fakes for tests of adapters.

    @pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
    def test_it_keeps_its_promises(promise):
        run_blocking(promise(MyStore()))

Every promise is one async function that takes an empty store and raises AssertionError if it is broken.
PURGING_PROMISES are for stores that can purge, SEAL_PROMISES for those that do not encrypt. WRITER_PROMISES test
concurrent writers and also take a way to run them: `run_blocking(promise(store, in_threads))`, or `await
promise(store, at_once)`. `require_accepted` refuses what the APIs of OpenAI and Anthropic refuse.
"""

from session_core.testing.checkpoints import CHECKPOINT_PROMISES
from session_core.testing.closing import CLOSING_PROMISES
from session_core.testing.fakes import KEY, Heard, Promise, check_valid, message
from session_core.testing.leases import LEASE_PROMISES
from session_core.testing.oddities import ODD_PROMISES
from session_core.testing.provider import BadRequest, faults, require_accepted
from session_core.testing.retention import PURGING_PROMISES
from session_core.testing.seals import SEAL_PROMISES
from session_core.testing.sessions import SESSION_PROMISES
from session_core.testing.threads import THREAD_PROMISES
from session_core.testing.versions import VERSION_PROMISES
from session_core.testing.writers import WRITER_PROMISES, in_threads
from session_core.voices import at_once

STORE_PROMISES: tuple[Promise, ...] = (
    *SESSION_PROMISES,
    *VERSION_PROMISES,
    *ODD_PROMISES,
    *LEASE_PROMISES,
    *CHECKPOINT_PROMISES,
    *THREAD_PROMISES,
    *CLOSING_PROMISES,
)

__all__ = [
    "CHECKPOINT_PROMISES",
    "CLOSING_PROMISES",
    "KEY",
    "LEASE_PROMISES",
    "ODD_PROMISES",
    "PURGING_PROMISES",
    "SEAL_PROMISES",
    "SESSION_PROMISES",
    "STORE_PROMISES",
    "THREAD_PROMISES",
    "VERSION_PROMISES",
    "WRITER_PROMISES",
    "BadRequest",
    "Heard",
    "Promise",
    "at_once",
    "check_valid",
    "faults",
    "in_threads",
    "message",
    "require_accepted",
]
