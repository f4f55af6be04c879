"""The file of a section: its records, written after each of them, and whether it is complete."""

import json
from pathlib import Path
from typing import Any

from .. import results

Record = dict[str, Any]


class Kept:
    """{"section", "done", "error", "seconds", "records"} in FOLDER/SECTION.json."""

    def __init__(self, folder: Path, section: str) -> None:
        self.path = folder / f"{section}.json"
        self.content: dict[str, Any] = {
            "section": section, "done": False, "error": "", "seconds": 0.0, "records": [],
        }  # fmt: skip
        if self.path.exists():
            self.content = json.loads(self.path.read_text(encoding="utf-8"))

    @property
    def records(self) -> list[Record]:
        return self.content["records"]

    def has(self, **key: Any) -> bool:
        """Whether a record with these values is there; one that says why it failed counts too."""
        return self.find(**key) is not None

    def find(self, **key: Any) -> Record | None:
        """The first record with these values."""
        matches = (r for r in self.records if all(r.get(name) == value for name, value in key.items()))
        return next(matches, None)

    def add(self, record: Record) -> None:
        """Adds a record and writes the file."""
        self.records.append(record)
        self.save()

    def save(self, **changes: Any) -> None:
        """Writes the file: it is whole at every moment."""
        self.content.update(changes)
        write(self.path, self.content)


def write(path: Path, content: Any) -> None:
    """`content` as JSON, which replaces the old file when it is complete."""
    results.replace(path, json.dumps(content, indent=1))
