"""Any built-in Python value as msgpack and back exactly, without pickle: tuples, dates, sets, keys of any type."""

from __future__ import annotations

import pathlib
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import ormsgpack

from session_core.errors import InputError, named_type

FromPlain = Callable[[Any], object]

TEXT_IN_BYTES, BIG_INT, MAP_OF_PAIRS = 1, 2, 3
REFERENCE_FROM = 64
"""Extension codes from here on are references into the message, see `Reference`."""


class Damaged(ValueError):
    """Malformed data, described in our own words."""


def damage(exc: Exception) -> str:
    """A description of unreadable data without the decoder's own text, which may quote content."""
    return str(exc) if isinstance(exc, Damaged) else type(exc).__name__


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a value that the message already has: which part, and the position in it."""

    part: int
    first: int = 0
    last: int = 0


class Table(Protocol):
    """An index of the values that a message already has."""

    def find(self, value: str | bytes | dict[Any, Any]) -> Reference | None:
        """The reference for `value`, or None if it must be written out."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of one more type are written and read: `code` is 32-63 and part of the format."""

    code: int
    matches: Callable[[object], bool]
    to_plain: Callable[[Any], object]
    from_plain: FromPlain


def _clock_to_plain(value: datetime | time) -> list[object]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, _zone(value.tzinfo, value.utcoffset())]


def _datetime_from(plain: Sequence[Any]) -> datetime:
    text, fold, zone = plain
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _time_from(plain: Sequence[Any]) -> time:
    text, fold, zone = plain
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _zone(zone: tzinfo | None, offset: timedelta | None) -> object:
    """A zone of the standard library as it is, any other by the offset it has at that moment."""
    keyed = isinstance(zone, ZoneInfo) and zone.key is not None
    if zone is None or isinstance(zone, timezone) or keyed:
        return zone
    return None if offset is None else timezone(offset)


def _path_from(plain: Sequence[str]) -> pathlib.PurePath:
    name, text = plain
    pure = {"PurePosixPath": pathlib.PurePosixPath, "PureWindowsPath": pathlib.PureWindowsPath}
    return pure.get(name, pathlib.Path)(text)


def _fixed_zone(value: timezone) -> list[object]:
    offset, name = value.utcoffset(None), value.tzname(None)
    return [offset] if timezone(offset).tzname(None) == name else [offset, name]


_BUILT_IN: dict[type, tuple[int, Callable[[Any], object], FromPlain]] = {
    tuple: (4, list, tuple),
    bytearray: (5, bytes, bytearray),
    set: (6, list, set),
    frozenset: (7, list, frozenset),
    datetime: (8, _clock_to_plain, _datetime_from),
    date: (9, date.isoformat, date.fromisoformat),
    time: (10, _clock_to_plain, _time_from),
    timedelta: (11, lambda d: [d.days, d.seconds, d.microseconds], lambda plain: timedelta(*plain)),
    timezone: (12, _fixed_zone, lambda plain: timezone(*plain)),
    ZoneInfo: (13, lambda zone: zone.key, ZoneInfo),
    Decimal: (14, str, Decimal),
    UUID: (15, lambda uuid: uuid.bytes, lambda plain: UUID(bytes=plain)),
    complex: (16, lambda z: [z.real, z.imag], lambda plain: complex(*plain)),
    OrderedDict: (17, lambda d: [[k, v] for k, v in d.items()], OrderedDict),
    deque: (18, lambda d: [list(d), d.maxlen], lambda plain: deque(plain[0], plain[1])),
    range: (19, lambda r: [r.start, r.stop, r.step], lambda plain: range(*plain)),
}
_PATH = Kind(
    20,
    lambda value: isinstance(value, pathlib.PurePath),
    lambda value: [type(value).__name__, str(value)],
    _path_from,
)
_PLAIN = (int, float, str, bytes, list, dict)
"""Subclasses of these without a kind come back as the base type; they compare equal."""


_WRITTEN_AS_THEY_ARE = frozenset((str, bytes, int, float, bool, type(None)))
"""Types that need no walk; what of them msgpack lacks (large integers, lone surrogates) raises TypeError."""


class Exact:
    """Writes and reads values. `kinds` are tried in order for types that are not built in."""

    def __init__(self, kinds: Sequence[Kind] = ()) -> None:
        self._kinds = (_PATH, *kinds)
        self._from_plain: dict[int, FromPlain] = {code: from_plain for code, _, from_plain in _BUILT_IN.values()}
        self._from_plain |= {kind.code: kind.from_plain for kind in self._kinds}

    def encode(self, value: object, table: Table | None = None) -> bytes:
        """`value` as msgpack. Raises: InputError for a value that cannot be restored exactly."""
        try:
            try:
                if table is None and type(value) is list and _WRITTEN_AS_THEY_ARE.issuperset(map(type, value)):
                    return ormsgpack.packb(value)
                return ormsgpack.packb(_Writer(self._kinds, table, surrogates=False).plain(value))
            except TypeError:
                return ormsgpack.packb(_Writer(self._kinds, table, surrogates=True).plain(value))
        except (RecursionError, TypeError) as exc:
            raise InputError(
                f"{named_type(value)} cannot be stored ({damage(exc)}); it must not contain itself or be "
                "nested more than some hundred levels deep"
            ) from None

    def decode(self, data: bytes, restore: Callable[[Reference], object] | None = None) -> object:
        """The inverse of `encode`. Raises: Damaged, ValueError or TypeError if the data is damaged."""

        def decode_extension(code: int, inner: bytes) -> object:
            plain = ormsgpack.unpackb(inner, ext_hook=decode_extension)
            if code >= REFERENCE_FROM:
                if restore is None:
                    raise Damaged("a reference outside of any message")
                where = plain if isinstance(plain, list) else [plain]
                return restore(Reference(code - REFERENCE_FROM, *where))
            return self._value(code, plain)

        return ormsgpack.unpackb(data, ext_hook=decode_extension)

    def _value(self, code: int, plain: Any) -> object:
        if code == TEXT_IN_BYTES:
            return bytes(plain).decode("utf-8", "surrogatepass")
        if code == BIG_INT:
            return int.from_bytes(plain, "big", signed=True)
        if code == MAP_OF_PAIRS:
            return dict(plain)
        if code not in self._from_plain:
            raise Damaged(f"unknown extension {code}")
        return self._from_plain[code](plain)

    def same(self, one: object, other: object) -> bool:
        """Whether the two are equal in every type and in every order, unlike 1 == 1.0 == True."""
        return self.encode(one) == self.encode(other)


class _Writer:
    """One walk over a value; with `surrogates`, text is checked for lone ones, which UTF-8 cannot encode."""

    def __init__(self, kinds: Sequence[Kind], table: Table | None, *, surrogates: bool) -> None:
        self._kinds = kinds
        self._table = table
        self._surrogates = surrogates

    def plain(self, value: Any) -> object:
        """`value` in msgpack's types, with extensions for others."""
        kind = type(value)
        if kind is str:
            return self._text(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**64 else self._extension(BIG_INT, _int_bytes(value))
        if kind is list:
            return [self.plain(item) for item in value]
        if kind is dict:
            return self._map(value)
        if kind is bytes:
            return self._found(value) if len(value) > 8 else value
        if kind in _BUILT_IN:
            code, to_plain, _ = _BUILT_IN[kind]
            return self._extension(code, self.plain(to_plain(value)))
        return self._other(value)

    def _text(self, value: str) -> object:
        found = self._found(value) if len(value) > 3 else value
        if found is value and self._surrogates and not _in_utf8(value):
            return self._extension(TEXT_IN_BYTES, value.encode("utf-8", "surrogatepass"))
        return found

    def _map(self, value: dict[Any, Any]) -> object:
        found = self._found(value) if value else value
        if found is not value:
            return found
        if all(type(key) is str for key in value) and not (
            self._surrogates and any(not _in_utf8(key) for key in value)
        ):
            return {key: self.plain(item) for key, item in value.items()}
        return self._extension(MAP_OF_PAIRS, [[self.plain(k), self.plain(v)] for k, v in value.items()])

    def _found(self, value: Any) -> object:
        reference = self._table.find(value) if self._table else None
        if reference is None:
            return value
        where = [reference.first, reference.last] if reference.last else reference.first
        return self._extension(REFERENCE_FROM + reference.part, where)

    def _other(self, value: Any) -> object:
        for kind in self._kinds:
            if kind.matches(value):
                return self._extension(kind.code, self.plain(kind.to_plain(value)))
        for base in _PLAIN:
            if isinstance(value, base):
                return self.plain(_base_value(base, value))
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        raise InputError(
            f"a value of type {name} cannot be stored and restored exactly; "
            "use plain data, a dataclass or a pydantic model instead"
        )

    @staticmethod
    def _extension(code: int, plain: object) -> ormsgpack.Ext:
        return ormsgpack.Ext(code, ormsgpack.packb(plain))


def _base_value(base: type, value: Any) -> object:
    if base is str:
        return str.__str__(value)
    if base is float:
        return float.__float__(value)
    if base is int:
        return int.__int__(value)
    return base(value)


def _int_bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _in_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def trim(plain: Sequence[object]) -> list[object]:
    """`plain` without trailing Nones; `pad` restores them."""
    end = len(plain)
    while end and plain[end - 1] is None:
        end -= 1
    return list(plain[:end])


def pad(plain: object, length: int) -> list[Any]:
    """A list from `trim`, with its Nones restored. Raises: ValueError."""
    if not isinstance(plain, list) or len(plain) > length:
        raise Damaged(f"a list of at most {length} was expected")
    return plain + [None] * (length - len(plain))


def mapping(plain: object) -> Mapping[str, Any]:
    """`plain` as a mapping. Raises: ValueError if it is none."""
    if not isinstance(plain, dict):
        raise Damaged("a mapping was expected")
    return plain
