"""The runs of a record: one recipe from several seeds, each kept in a file of its own."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.files import read_json, write_json
from shared.machine import machine


def kept(
    folder: Path, seed: int, settings: dict[str, Any], run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """The result of a seed: what `folder` holds of it, or else that of `run()`, which is written there. So
    seeds can be computed one by one, and joined by a last call. A result of other settings is not replaced.
    """
    file = folder / f"seed{seed}.json"
    content = read_json(file)
    if content.get("settings", settings) != settings:
        sys.exit(f"{file} is the result of other settings; name another folder with --out")
    if not content:
        content = {"settings": settings, "machine": machine(), "run": {"seed": seed, **run()}}
        write_json(file, content)
    return {**content["run"], "machine": content["machine"]}
