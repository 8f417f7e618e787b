"""Another saver in one voice (sync or async), under the names of its sync methods."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from session_core.errors import NotOffered


@dataclass(frozen=True, slots=True)
class InnerVoice:
    """A saver with its sync methods, or (`awaits`) with its async ones."""

    saver: BaseCheckpointSaver[Any]
    awaits: bool

    async def call(self, name: str, *args: Any, **named: Any) -> Any:
        """The result of the method `name`. Raises: NotOffered if the saver lacks it in this voice."""
        method = getattr(self.saver, f"a{name}" if self.awaits else name)
        if "task_path" in named and "task_path" not in inspect.signature(method).parameters:
            named.pop("task_path")
        try:
            done = method(*args, **named)
            return await done if self.awaits else done
        except NotImplementedError as exc:
            raise self.not_offered(name) from exc

    def not_offered(self, name: str) -> NotOffered:
        """The error for a method that the saver lacks in this voice."""
        kind = type(self.saver).__name__
        other = "invoke, stream" if self.awaits else "ainvoke, astream"
        return NotOffered(
            f"{kind} does not offer {'a' if self.awaits else ''}{name}; it may in the other voice (call the graph "
            f"by {other}), else pass an inner saver that does"
        )
