"""The oldest versions that pyproject.toml allows, as constraints for pip: `python tests/floors.py > floors.txt`."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
FOR_WORK_ON_IT = ("test", "dev", "bench", "llm")
"""Extras that are for work on the repository; who installs the library has none of them."""
_FLOOR = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?>=(?P<version>[0-9][0-9a-z.]*)")


def floors(project: str) -> Iterator[tuple[str, str]]:
    """Name and lowest version of what the text of a pyproject.toml depends on. Raises: ValueError for one without."""
    told = tomllib.loads(project)["project"]
    extras = {name: wanted for name, wanted in told["optional-dependencies"].items() if name not in FOR_WORK_ON_IT}
    for wanted in sorted({one for group in (told["dependencies"], *extras.values()) for one in group}):
        if wanted.startswith(f"{told['name']}["):
            continue
        found = _FLOOR.match(wanted)
        if found is None:
            raise ValueError(f"{wanted} has no floor; write {wanted}>=VERSION, the oldest that was tested")
        yield found["name"], found["version"]


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in floors(PROJECT.read_text("utf-8")))
