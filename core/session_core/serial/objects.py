"""Objects of importable classes as plain state and back: models, dataclasses, enums, named tuples, files.

Nothing that is stored is ever called: a class is looked up by its name, must be of the kind that was
written, and gets its state back without its constructor. A class that is gone gives its fields as a dict.
"""

from __future__ import annotations

import dataclasses
import importlib
import io
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from session_core.errors import InputError
from session_core.serial.exact import Kind, pad, trim

_NO_DEFAULT = object()


def path_of(kind: type) -> str:
    """The import path of a class."""
    return f"{kind.__module__}:{kind.__qualname__}"


def class_at(path: str) -> type | None:
    """The class at the import path `path`, or None if it does not exist."""
    module, _, qualname = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for name in qualname.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError, ValueError):
        return None
    return found if isinstance(found, type) else None


def is_model(value: object) -> bool:
    """Whether `value` is a pydantic (2) model."""
    return hasattr(type(value), "__pydantic_fields__") and hasattr(value, "__pydantic_fields_set__")


@dataclasses.dataclass(frozen=True, slots=True)
class ModelState:
    """The complete state of a pydantic model. `values` may omit fields with default values; `fields_set` are the fields
    that were set explicitly."""

    values: Mapping[str, Any]
    fields_set: frozenset[str]
    extra: Mapping[str, Any] | None = None
    private: Mapping[str, Any] | None = None


def model_state(model: Any, *, defaults: bool) -> ModelState:
    """The state of `model`; without `defaults`, fields with their default value are omitted."""
    kind = type(model)
    values = {
        name: value
        for name, value in vars(model).items()
        if name in kind.__pydantic_fields__ and (defaults or not _is_default(kind, name, value))
    }
    return ModelState(
        values,
        frozenset(model.__pydantic_fields_set__),
        model.__pydantic_extra__,
        model.__pydantic_private__,
    )


def model_from(kind: Any, state: ModelState) -> Any:
    """A model of class `kind` with `state`, without validation, since it was validated when it was created."""
    model = kind.__new__(kind)
    values = {}
    for name, field in kind.__pydantic_fields__.items():
        if name in state.values:
            values[name] = state.values[name]
        elif (default := _default(field)) is not _NO_DEFAULT:
            values[name] = default
    object.__setattr__(model, "__dict__", values)
    object.__setattr__(model, "__pydantic_fields_set__", set(state.fields_set))
    object.__setattr__(model, "__pydantic_extra__", _extra(kind, state.extra))
    object.__setattr__(model, "__pydantic_private__", _copied(state.private))
    return model


def _extra(kind: Any, extra: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if extra is None and kind.model_config.get("extra") == "allow":
        return {}
    return _copied(extra)


def _copied(state: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if state is None else dict(state)


def _default(field: Any) -> object:
    """The default value of a field; `_NO_DEFAULT` if it is not certain."""
    if field.default_factory is not None:
        return field.default_factory() if field.default_factory in (list, dict) else _NO_DEFAULT
    return _NO_DEFAULT if field.is_required() else field.default


def _is_default(kind: Any, name: str, value: object) -> bool:
    default = _default(kind.__pydantic_fields__[name])
    if value is None or type(value) is not type(default):
        return value is default
    if isinstance(value, list | dict):
        return not value and not default
    return type(value) in (str, int, float, bool) and value == default


def object_kinds(short: Mapping[str, type] | None = None) -> tuple[Kind, ...]:
    """The kinds for `Exact`; models of the classes in `short` are written under that name, less defaults.

    Use short names only for classes whose defaults are part of a framework's contract.
    """
    return (
        _ModelKind(short or {}).kind(),
        Kind(33, _is_dataclass, _dataclass_plain, _dataclass_from),
        Kind(34, lambda value: isinstance(value, Enum), _enum_plain, _enum_from),
        Kind(35, _is_named_tuple, _named_tuple_plain, _named_tuple_from),
        Kind(36, lambda value: isinstance(value, io.IOBase), _file_plain, _file_from),
    )


class _ModelKind:
    def __init__(self, short: Mapping[str, type]) -> None:
        self._classes = dict(short)
        self._names = {kind: name for name, kind in short.items()}

    def kind(self) -> Kind:
        return Kind(32, is_model, self._plain, self._from)

    def _plain(self, model: Any) -> object:
        name = self._names.get(type(model))
        state = model_state(model, defaults=name is None)
        named = None if state.fields_set == frozenset(state.values) else [sorted(state.fields_set)]
        return trim([name or path_of(type(model)), dict(state.values) or None, named, state.extra, state.private])

    def _from(self, plain: object) -> object:
        name, values, named, extra, private = pad(plain, 5)
        kind = self._classes.get(name) or class_at(name)
        if kind is None or not hasattr(kind, "__pydantic_fields__"):
            return {**(values or {}), **(extra or {})}
        fields_set = named[0] if named else values or ()
        return model_from(kind, ModelState(values or {}, frozenset(fields_set), extra, private))


def _is_dataclass(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _dataclass_plain(value: Any) -> list[object]:
    fields = [field.name for field in dataclasses.fields(value)]
    state = {name: getattr(value, name) for name in fields if hasattr(value, name)}
    return [path_of(type(value)), {**state, **getattr(value, "__dict__", {})}]


def _dataclass_from(plain: Sequence[Any]) -> object:
    path, state = plain
    kind = class_at(path)
    if kind is None or not dataclasses.is_dataclass(kind):
        return state
    value = object.__new__(kind)
    for name, item in state.items():
        object.__setattr__(value, name, item)
    return value


def _enum_plain(value: Enum) -> list[object]:
    return [path_of(type(value)), value.value]


def _enum_from(plain: Sequence[Any]) -> object:
    path, value = plain
    kind = class_at(path)
    return kind(value) if kind is not None and issubclass(kind, Enum) else value


def _is_named_tuple(value: object) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _named_tuple_plain(value: Any) -> list[object]:
    return [path_of(type(value)), list(value)]


def _named_tuple_from(plain: Sequence[Any]) -> object:
    path, items = plain
    kind = class_at(path)
    fits = kind is not None and issubclass(kind, tuple) and hasattr(kind, "_fields")
    return tuple.__new__(kind, items) if kind is not None and fits else tuple(items)


def read_file(file: Any) -> Any:
    """The contents of an open file, whose position is restored. Raises: InputError if that is not possible."""
    if file.closed or not (file.readable() and file.seekable()):
        raise InputError(
            "a message contains a file that is closed or can be read only once; pass its bytes, or io.BytesIO"
        )
    place = file.tell()
    try:
        file.seek(0)
        return file.read()
    finally:
        file.seek(place)


def _file_plain(file: Any) -> list[object]:
    return [read_file(file), file.tell()]


def _file_from(plain: Sequence[Any]) -> io.BytesIO | io.StringIO:
    data, place = plain
    file: io.BytesIO | io.StringIO = io.StringIO(data) if isinstance(data, str) else io.BytesIO(data)
    file.seek(place)
    return file
