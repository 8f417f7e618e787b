"""Rules shared by both provider APIs: allowed keys, and well-formed data and URLs."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,")


def odd_keys(thing: Mapping[str, Any], known: Collection[str], needed: Collection[str], where: str) -> Iterator[str]:
    """What `thing` has that nobody asked for, and what it lacks."""
    for key in sorted(set(thing) - set(known)):
        yield f"{where} has an unknown key {key}"
    for key in sorted(set(needed) - set(thing)):
        yield f"{where} lacks {key}"


def is_base64(data: object) -> bool:
    """Whether `data` is base64 that is not empty."""
    if not isinstance(data, str) or not data:
        return False
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def data_url(url: object) -> str | None:
    """The MIME type of a sound data URL in base64; None when it is none."""
    match = _DATA_URL.match(url) if isinstance(url, str) else None
    return match[1] if match and isinstance(url, str) and is_base64(url[match.end() :]) else None


def is_web(url: object) -> bool:
    """Whether `url` is a place that a provider can fetch."""
    return isinstance(url, str) and bool(re.match(r"https?://\S+$", url))


def is_object(text: object) -> bool:
    """Whether `text` is a JSON object."""
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def is_sendable(value: object) -> bool:
    """Whether `value` can be written as JSON in UTF-8, as the SDKs write it: no NaN, no half of a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, TypeError):
        return False
    return True
