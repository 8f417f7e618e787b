"""What every test shares: property tests that judge what is found, never how fast the machine is."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("llm-sessions", deadline=None, print_blob=True)
settings.load_profile("llm-sessions")
