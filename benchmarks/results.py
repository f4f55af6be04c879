"""The JSON file: one machine, and for each level a list of records. SCHEMA.md describes every field."""

import json
import os
import re
from pathlib import Path
from typing import Any

from . import quiet

SCHEMA = 1
FOLDER = Path(__file__).parent / "results"
NUMBER = (int, float)
SECONDS = {"median": NUMBER, "q1": NUMBER, "q3": NUMBER, "min": NUMBER, "samples": int}
_TRAINED = {"net": str, "batch": int, "library": str, "mode": str, "threads": int}
_STEP = {
    **_TRAINED, "data": str, "images": int, "step_s": SECONDS, "import_s": NUMBER, "first_step_s": NUMBER,
    "losses": list, "same_loss": bool, "import_bytes": int, "peak_bytes": int,
}  # fmt: skip

# Fields of a record of each level and their types;
# KEYS are the fields that tell one measurement from another.
FIELDS: dict[str, dict[str, Any]] = {
    "peak": {"threads": int, "flops": NUMBER, "bandwidth": list},
    "kernels": {
        "op": str, "name": str, "group": str, "batch": int, "library": str, "implementation": str,
        "threads": int,
        "seconds": SECONDS, "flops": NUMBER, "bytes": NUMBER, "floor_s": NUMBER, "bound": str,
    },
    "steps": _STEP,
    "scaling": _STEP,
    "ablation": _STEP,
    "memory": _STEP,
    "epochs": {**_TRAINED, "task": str, "seed": int, "seconds": NUMBER, "accuracy": NUMBER, "curve": list},
    "busy": {
        **_TRAINED, "busy": int, "quota": NUMBER, "cores": int, "data": str, "images": int, "step_s": SECONDS,
        "cpu_s": SECONDS, "loss": NUMBER, "same_loss": bool,
    },
    "predict": {**_TRAINED, "seconds": SECONDS},
    "startup": {"caches": str, "wall_s": NUMBER, "cpu_s": NUMBER, "end_s": NUMBER, "number": int},
}  # fmt: skip
KEYS = {
    "peak": ("threads",),
    "kernels": ("op", "name", "batch", "library", "implementation", "threads"),
    "epochs": ("task", "net", "batch", "library", "mode", "threads", "seed"),
    "busy": ("net", "batch", "library", "mode", "busy", "quota"),
    "startup": ("caches", "number"),
    **dict.fromkeys(
        ("steps", "scaling", "ablation", "memory", "predict"), ("net", "batch", "library", "mode", "threads")
    ),
}
# what a record may have besides
OPTIONAL: dict[str, Any] = {"noise": {"others": NUMBER, "steal": NUMBER}, "rounds_s": list}
ORIGIN = {"date": str, "commit": str, "threads": int, "versions": dict}


class Results:
    """The content of a file, written back after every change."""

    def __init__(self, path: Path, machine: dict[str, Any]) -> None:
        self.path, self._watch = path, quiet.Watch()
        self.content: dict[str, Any] = {"schema": SCHEMA, "machine": machine, "runs": [], "levels": {}}
        if path.exists():
            self.content = load(path)
            other, here = (named(one) for one in (self.content["machine"], machine))
            if other != here:
                raise SystemExit(
                    f"{path} holds results of another machine ({other}; this is {here}): name another file"
                )

    def records(self, level: str) -> list[dict[str, Any]]:
        return self.content["levels"].get(level, [])

    def begin(self, level: str, origin: dict[str, Any], *, fresh: bool) -> None:
        """Notes a run; its number is written into each of its records."""
        if fresh:
            self.content["levels"].pop(level, None)
        self.content["runs"].append({"level": level, **origin})
        self._watch.lap()

    def has(self, level: str, **key: Any) -> bool:
        """Whether a record with these values is there."""
        return any(
            all(record.get(name) == value for name, value in key.items()) for record in self.records(level)
        )

    def add(self, level: str, records: list[dict[str, Any]]) -> None:
        """Adds records in place of older ones with the same key, and writes the file.

        They are marked with what others had of the machine since the last ones.
        """
        number, noise = len(self.content["runs"]) - 1, self._watch.lap()
        mark = {} if noise is None else {"noise": noise}
        if noise is not None and not quiet.is_quiet(noise):
            print(quiet.in_words(noise), flush=True)
        new = [{**record, **mark, "run": number} for record in records]
        keys = {_key(level, record) for record in new}
        kept = [record for record in self.records(level) if _key(level, record) not in keys]
        self.content["levels"][level] = kept + new
        save(self.path, self.content)


def _key(level: str, record: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(record[name] for name in KEYS[level])


def named(machine: dict[str, Any]) -> str:
    """A processor's name, which may stand for several designs, and the design, as LLVM calls it."""
    return f"{machine['processor']} ({machine['core']})" if "core" in machine else machine["processor"]


def default_path(machine: dict[str, Any]) -> Path:
    """results/<processor>-<core>.json"""
    words = re.sub(r"\((r|tm)\)|cpu|processor|@", " ", f"{machine['processor']} {machine['core']}".lower())
    return FOLDER / ("-".join(re.findall(r"[a-z0-9.]+", words)) + ".json")


def save(path: Path, content: dict[str, Any]) -> None:
    """Writes a file of one line a record, which a diff can show."""
    replace(path, _text(content))


def replace(path: Path, text: str) -> None:
    """Writes a file, which replaces the old one when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def _text(content: dict[str, Any]) -> str:
    levels = []
    for level, records in content["levels"].items():
        lines = ",\n".join("      " + json.dumps(_rounded(record)) for record in records)
        levels.append(f"    {json.dumps(level)}: [\n{lines}\n    ]")
    runs = ",\n".join("    " + json.dumps(run) for run in content["runs"])
    head = (
        f'  "schema": {content["schema"]},\n  "machine": {json.dumps(content["machine"])},\n  "runs": '
        f"[\n{runs}\n  ],\n"
    )
    return "{\n" + head + '  "levels": {\n' + ",\n".join(levels) + "\n  }\n}\n"


def _rounded(value: Any) -> Any:
    """Numbers to five digits: no clock here is better."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list) else value


def load(path: Path) -> dict[str, Any]:
    """Content of a file; SystemExit with the place of the first mistake if it does not follow the schema."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise SystemExit(f"{path} is not a JSON file: {error}") from None
    if mistakes := check(content):
        raise SystemExit(f"{path} does not follow SCHEMA.md: {mistakes[0]}")
    return content


def check(content: Any) -> list[str]:
    """What in `content` does not follow the schema, in words."""
    top = {"schema": int, "machine": dict, "runs": list, "levels": dict}
    if mistakes := _differences("the file", content, top):
        return mistakes
    if content["schema"] != SCHEMA:
        return [f"the file has schema {content['schema']}, this program reads {SCHEMA}"]
    for number, run in enumerate(content["runs"]):
        mistakes += _differences(f"runs[{number}]", run, {"level": str, **ORIGIN})
    for level, records in content["levels"].items():
        if level not in FIELDS:
            mistakes.append(f"unknown level {level!r}")
            continue
        for number, record in enumerate(records):
            more = {name: kind for name, kind in OPTIONAL.items() if name in record}
            mistakes += _differences(f"{level}[{number}]", record, {"run": int, **FIELDS[level], **more})
    return mistakes


def _differences(place: str, found: Any, fields: dict[str, Any]) -> list[str]:
    if not isinstance(found, dict):
        return [f"{place} is not an object"]
    mistakes = []
    for name, kind in fields.items():
        if name not in found:
            mistakes.append(f"{place} has no {name!r}")
        elif isinstance(kind, dict):
            mistakes += _differences(f"{place}.{name}", found[name], kind)
        elif not isinstance(found[name], kind) or (isinstance(found[name], bool) and kind is not bool):
            mistakes.append(f"{place}.{name} is {found[name]!r}")
    return mistakes
