"""What belongs to the process that made it."""

from __future__ import annotations

from typing import Never, Self

from session_core.errors import NotPicklable, named_type


class ProcessBound:
    """What has connections or locks: a copy is the same object, and it cannot be pickled."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> Never:
        raise NotPicklable(
            f"{named_type(self)} cannot be pickled, since it has connections of this process; give the other "
            "process the URL and the ids, and let it open its own Sessions(url)"
        )
