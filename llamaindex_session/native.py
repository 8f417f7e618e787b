"""A LlamaIndex message as bytes and back: its block classes, and everything that the neutral form lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from llama_index.core.base.llms import types as li
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock
from llama_index.core.bridge.pydantic import AnyUrl

from llamaindex_session.marks import ViewMessage
from session_core.errors import StoreUnreadable
from session_core.serial.exact import Exact, Kind, damage, pad, trim
from session_core.serial.marks import MARK
from session_core.serial.objects import ModelState, class_at, is_model, model_from, model_state, object_kinds, path_of
from session_core.serial.references import ReferenceTable, restorer
from session_core.turns import Message, Native

FORMAT = "llamaindex/1"


def block_classes() -> dict[str, type]:
    """The block classes of the installed LlamaIndex, by their `block_type`."""
    union = get_args(li.ContentBlock)[0]
    return {kind.model_fields["block_type"].default: kind for kind in get_args(union)}


def _url_from(plain: list[str]) -> object:
    path, text = plain
    kind = class_at(path)
    # The text is empty where a view has no room for what the URL names; no URL is.
    return kind(text) if text and kind is not None and issubclass(kind, AnyUrl) else text


_URL = Kind(
    48,
    lambda value: isinstance(value, AnyUrl),
    lambda value: [path_of(type(value)), str(value)],
    _url_from,
)
exact = Exact((*object_kinds({**block_classes(), "cache_control": li.CacheControl}), _URL))


def write(message: ChatMessage, neutral: Message, table: ReferenceTable) -> Native:
    """Everything of `message` that `neutral` lacks; which fields were set explicitly is only a note."""
    kind = ChatMessage if isinstance(message, ViewMessage) else type(message)
    state = model_state(message, defaults=True)
    values = dict(state.values)
    kwargs, role = values.pop("additional_kwargs"), values.pop("role")
    blocks, odd = _as_usual(values.pop("blocks"))
    private = None if isinstance(message, ViewMessage) else state.private
    data = exact.encode(
        trim(
            [
                None if role == neutral.role.value else getattr(role, "value", role),
                None if _is_text(blocks, neutral.content) else blocks,
                {key: value for key, value in kwargs.items() if key != MARK} or None,
                None if kind is ChatMessage else path_of(kind),
                values or None,
                dict(state.extra) if state.extra else None,
                private,
            ]
        ),
        table,
    )
    fields_set = None if state.fields_set == frozenset(_fields_set_with(kwargs)) else sorted(state.fields_set)
    note = trim([fields_set, odd or None])
    return Native(FORMAT, data, exact.encode(note) if note else b"")


def _as_usual(blocks: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
    """`blocks` with only their meaningful fields set explicitly, and for the others their position and what was set.
    Messages that went through JSON have all fields set, with the same meaning."""
    usual, odd = list(blocks), []
    for place, block in enumerate(blocks):
        if not is_model(block) or (type(block) is TextBlock and block.model_fields_set == {"text"}):
            continue
        state = model_state(block, defaults=False)
        if state.fields_set != frozenset(state.values):
            odd.append([place, sorted(state.fields_set)])
            usual[place] = model_from(type(block), replace(state, fields_set=frozenset(state.values)))
    return usual, odd


def _fields_set_with(kwargs: object) -> list[str]:
    """The fields that are usually set explicitly."""
    return ["role", "blocks", "additional_kwargs"] if kwargs else ["role", "blocks"]


def _is_text(blocks: Any, content: str) -> bool:
    """Whether the blocks are exactly the neutral text, in one block as `content=` makes it."""
    if len(blocks) != 1 or type(blocks[0]) is not TextBlock:
        return False
    return blocks[0].text == content and blocks[0].model_fields_set == {"text"}


def read(message: Message, native: Native) -> ChatMessage:
    """The message that `native` was written for. Raises: StoreUnreadable."""
    try:
        plain = exact.decode(native.data, restorer(message))
        role, blocks, kwargs, path, values, extra, private = pad(plain, 7)
        named, odd = pad(exact.decode(native.note) if native.note else [], 2)
        fields: dict[str, Any] = {
            **(values or {}),
            "role": MessageRole(role or message.role.value),
            "additional_kwargs": kwargs or {},
            "blocks": [TextBlock(text=message.content)] if blocks is None else blocks,
        }
        for place, names in odd or ():
            object.__setattr__(fields["blocks"][place], "__pydantic_fields_set__", set(names))
    except (ValueError, TypeError, LookupError, AttributeError) as exc:
        raise StoreUnreadable(
            f"message {message.id} cannot be read as a LlamaIndex message ({damage(exc)}); it is damaged, or was "
            "written by a newer release: update llm-sessions, or restore it from a backup"
        ) from None
    found = class_at(path) if path else ChatMessage
    kind = found if found is not None and issubclass(found, ChatMessage) else ChatMessage
    fields_set = _fields_set_with(kwargs) if named is None else named
    made: ChatMessage = model_from(kind, ModelState(fields, frozenset(fields_set), extra, private))
    return made
