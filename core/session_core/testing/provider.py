"""The request checks of the OpenAI and Anthropic chat APIs, as rules: a strict provider for tests.

Pure code, no network, no SDK. Where compatible servers are stricter than the original API, the stricter rule applies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from session_core.testing.anthropic_rules import anthropic_faults
from session_core.testing.openai_rules import openai_faults

Api = Literal["openai", "anthropic"]

_RULES: dict[Api, Callable[..., list[str]]] = {"openai": openai_faults, "anthropic": anthropic_faults}


class BadRequest(ValueError):
    """A provider's answer with status 400; it lists everything that is wrong, not only the first problem."""


def faults(payload: Mapping[str, Any] | Sequence[Mapping[str, Any]], api: Api, *, prefill: bool = True) -> list[str]:
    """What `api` would refuse in the request `payload`, or in a request with these messages; empty if it would be
    accepted.

    Without `prefill` a request that ends with an assistant message is refused too, as newer models do.
    """
    return _RULES[api](payload if isinstance(payload, Mapping) else {"messages": payload}, prefill=prefill)


def require_accepted(
    payload: Mapping[str, Any] | Sequence[Mapping[str, Any]], api: Api, *, prefill: bool = True
) -> None:
    """Raises: BadRequest if `api` would refuse the request `payload`, or a request with these messages."""
    if wrong := faults(payload, api, prefill=prefill):
        raise BadRequest(f"{api} answers 400: " + "; ".join(wrong))
