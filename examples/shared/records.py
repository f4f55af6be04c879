"""The runs of a record: one recipe from several seeds, each kept in a file of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.files import write_json
from shared.machine import machine


def kept(
    folder: Path, seed: int, settings: dict[str, Any], run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """The result of a seed: what `folder` holds of it, if it came from the same settings; otherwise that of
    `run()`, which is written there. So seeds can be computed one by one, and joined by a last call.
    """
    file = folder / f"seed{seed}.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = {}
    if content.get("settings") != settings:
        content = {"settings": settings, "machine": machine(), "run": {"seed": seed, **run()}}
        write_json(file, content)
    return {**content["run"], "machine": content["machine"]}
