"""What the chat APIs of OpenAI and Anthropic refuse, as rules over the request that they would be sent.

A strict provider for tests: pure code, no network, no SDK. The rules are those of the APIs, and where servers that
speak the same protocol are stricter than the original, the stricter one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from session_core.testing.anthropic_rules import anthropic_faults
from session_core.testing.openai_rules import openai_faults

Api = Literal["openai", "anthropic"]

_RULES: dict[Api, Callable[..., list[str]]] = {"openai": openai_faults, "anthropic": anthropic_faults}


class BadRequest(ValueError):
    """What a provider answers with status 400; it says all that is wrong, not only the first of it."""


def faults(payload: Mapping[str, Any], api: Api, *, prefill: bool = True) -> list[str]:
    """What `api` would refuse in the request `payload`; nothing when it would be answered.

    Without `prefill` a request that ends with the assistant's words is refused too, as newer models do.
    """
    return _RULES[api](payload, prefill=prefill)


def require_accepted(payload: Mapping[str, Any], api: Api, *, prefill: bool = True) -> None:
    """Raises: BadRequest when `api` would refuse the request `payload`."""
    if wrong := faults(payload, api, prefill=prefill):
        raise BadRequest(f"{api} answers 400: " + "; ".join(wrong))
