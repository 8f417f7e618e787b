"""Serializable references to sessions, and how to reattach to them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError
from session_core.sharing import shared_sessions

DEFAULT_URL = "sqlite:///llm-sessions.db"
HELPERS = ("summarizer", "classifier", "extractor", "embedder", "index", "counter")
"""The fields of a policy that are objects rather than plain values."""

_given: WeakValueDictionary[str, Sessions] = WeakValueDictionary()
_names: WeakKeyDictionary[Sessions, str] = WeakKeyDictionary()
_helped: dict[str, Policy] = {}


def place_of(sessions: Sessions) -> dict[str, Any]:
    """A name for an object of the caller, valid in this process as long as the object lives."""
    name = _names.get(sessions)
    if name is None:
        name = _names[sessions] = uuid.uuid4().hex
        _given[name] = sessions
    return {"sessions": name}


def place_at(url: str, policy: Policy) -> dict[str, Any]:
    """A reference to a store's URL and a policy: the policy by its values, its helpers by their names."""
    given = {name: getattr(policy, name) for name in HELPERS}
    helpers = {name: _called(helper) for name, helper in given.items() if not isinstance(helper, str | None)}
    left_out = (*helpers, "budget")
    values = {f.name: getattr(policy, f.name) for f in fields(policy) if f.name not in left_out}
    place = {"url": url, "policy": {**values, "budget": asdict(policy.budget)}, "helpers": helpers}
    if helpers:
        _helped[json.dumps(place, sort_keys=True)] = policy
    return place


def sessions_at(place: Mapping[str, Any]) -> Sessions:
    """The sessions that `place` refers to; the same object in the process that wrote it. Raises: ConfigError if this
    process does not know the helpers or sessions."""
    if "sessions" in place:
        found = _given.get(place["sessions"])
        if found is None:
            raise ConfigError(
                "this memory was made with a Sessions object that this process does not have (any more); "
                "make memories with url=..., or reattach it with from_dict(data, sessions=...)"
            )
        return found
    if not place.keys() >= {"url", "policy", "helpers"}:
        raise ConfigError("this refers to no store; pass what to_dict() returned, or make it with url=...")
    return shared_sessions(place["url"], _policy(place))


def _policy(place: Mapping[str, Any]) -> Policy:
    if not place["helpers"]:
        values = dict(place["policy"])
        return Policy(Budget(**values.pop("budget")), **values)
    found = _helped.get(json.dumps(dict(place), sort_keys=True))
    if found is None:
        helpers = ", ".join(place["helpers"].values())
        raise ConfigError(
            f"this memory's policy has helpers that cannot be serialized ({helpers}); "
            "make a memory or store with the same url= and policy= in this process first"
        )
    return found


def _called(helper: object) -> str:
    name = getattr(helper, "name", None)
    return name if isinstance(name, str) else f"{type(helper).__module__}.{type(helper).__qualname__}"
