"""Location and type of the data of an image, a recording or a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from session_core.turns import Media

_BEGINNINGS = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi0", "application/pdf"),
    ("SUQz", "audio/mpeg"),
    ("T2dnUw", "audio/ogg"),
)
USUAL = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4", "file": "application/pdf"}
"""The default type of a part that does not name its own."""

_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*?)(;base64)?,")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class Source:
    """The location of a part's data: one of `url`, `base64` and `file_id` is set."""

    mime: str
    url: str | None = None
    base64: str | None = None
    file_id: str | None = None


def source_of(media: Media) -> Source:
    """`media` in the form of a provider's block; a data URL is split up."""
    match = _DATA_URL.match(media.data)
    if match and match[3]:
        data = media.data[match.end() :]
        return Source(match[1] or media.mime or _mime_of(media.kind, data), base64=data)
    if _URL.match(media.data):
        return Source(media.mime or USUAL[media.kind], url=media.data)
    if len(media.data) % 4 == 0 and _BASE64.fullmatch(media.data):
        return Source(_full(media) or _mime_of(media.kind, media.data), base64=media.data)
    return Source(_full(media) or USUAL[media.kind], file_id=media.data)


def _full(media: Media) -> str | None:
    """The MIME type; a bare format name ("wav") gets its kind before it."""
    if not media.mime or "/" in media.mime:
        return media.mime
    return f"{'application' if media.kind == 'file' else media.kind}/{media.mime}"


def _mime_of(kind: str, data: str) -> str:
    return next((mime for start, mime in _BEGINNINGS if data.startswith(start)), USUAL[kind])
