"""What every test shares: property tests that judge what is found, never how fast the machine is or what chance brings.

LLM_SESSIONS_EXPLORE=1 pytest tests/test_x.py    # other examples with each run, to look for what nobody thought of
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "llm-sessions",
    deadline=None,
    derandomize="LLM_SESSIONS_EXPLORE" not in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("llm-sessions")
