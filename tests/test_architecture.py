"""The imports tell the architecture: each room uses only rooms before it, and there are no cycles."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A room may import from rooms of a lower level, and from itself.
# Rooms of one level do not know each other unless listed.
LEVELS = {
    "not_supported": -3,
    "suggestions": -3,
    "old_names": -2,
    "missing_names": -1,
    "console": 0,
    "markup": 0,
    "kernels": 0,
    "registry": 0,
    "signature": 1,
    "tree": 0,
    "backend": 1,
    "autograd": 2,
    "ops": 3,
    "replay": 3,
    "gradient_check": 4,
    "activations": 4,
    "initializers": 4,
    "regularizers": 4,
    "constraints": 4,
    "losses": 4,
    "metrics": 4,
    "schedules": 4,
    "callbacks": 4,
    "data": 4,
    "datasets": 4,
    "memory": 4,
    "plotting": 4,
    "random": 4,
    "utils": 4,
    "optimizers": 5,
    "preprocessing": 5,
    "layers": 5,
    "saving": 6,
    "watch": 6,
    "models": 7,
    "debug": 8,
    "explorer": 8,
    "compat": 9,
    "warmup": 9,
    "__main__": 10,
}
# Python runs a room's __init__ before any of its files: whoever asks for Tensor gets its operators, which ops
# attaches, and whoever loads a file gets the classes of models, which are known once they are defined.
LAST = {("tinynet/autograd/__init__.py", "tinynet.ops"), ("tinynet/saving/__init__.py", "tinynet.models")}
# What the engine runs without, and the files that may import it where they begin.
ATTACHMENTS = {"tinynet.compat": (), "tinynet.saving.onnx": (), "tinynet.saving.keras": ("tinynet/saving/",)}
SIDEWAYS = {
    ("metrics", "losses"),
    ("metrics", "initializers"),
    ("initializers", "random"),
    ("plotting", "utils"),
    ("callbacks", "plotting"),
    ("callbacks", "utils"),
}


def python_files(folder: str) -> list[Path]:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, folder
    return files


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] == "kernels" else parts[1]


def imported_modules(path: Path, inside: bool = True) -> list[str]:
    """Absolute names of all modules that a file imports; if not `inside`,
    without those that functions import.

    What type checkers alone are told is left out.
    """
    package = ("tinynet", *path.relative_to(ROOT).parent.parts)
    if package[:2] == ("tinynet", "tinynet"):
        package = package[1:]
    names = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = (
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    for_type_checkers = {
        id(node) for block in blocks for statement in block.body for node in ast.walk(statement)
    }
    for node in ast.walk(tree) if inside else tree.body:
        if id(node) in for_type_checkers:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            names += [f"{module}.{alias.name}" for alias in node.names]
    return names


def used_by(path: Path) -> list[str]:
    """What a file imports, but for what it imports at its end, when all that is its own is there."""
    here = path.relative_to(ROOT).as_posix()
    return [name for name in imported_modules(path) if (here, name) not in LAST]


FILES = [
    path
    for path in python_files("kernels") + python_files("tinynet")
    if path != ROOT / "tinynet" / "__init__.py"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    room = room_of(path)
    for name in used_by(path):
        parts = name.split(".")
        if parts[0] == "kernels":
            pytest.fail(f"{path} imports {name}: the package is called tinynet.kernels")
        if parts[0] != "tinynet" or len(parts) < 2 or parts[1] not in LEVELS or parts[1] == room:
            continue
        allowed = LEVELS[parts[1]] < LEVELS[room] or (room, parts[1]) in SIDEWAYS
        assert allowed, f"{path.relative_to(ROOT)} ({room}) imports {name}"


@pytest.mark.parametrize("files", [FILES, python_files("benchmarks")], ids=["tinynet", "benchmarks"])
def test_no_file_imports_itself_by_way_of_others(files):
    modules = {".".join(("tinynet", *path.relative_to(ROOT).with_suffix("").parts)): path for path in files}
    modules = {
        name.replace("tinynet.tinynet", "tinynet").removesuffix(".__init__"): p for name, p in modules.items()
    }
    graph = {}
    for module, path in modules.items():
        names = (name if name in modules else name.rpartition(".")[0] for name in used_by(path))
        graph[module] = {name for name in names if name in modules and name != module}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the files


def test_what_is_imported_last_is_the_last_line():
    for here, name in LAST:
        last = ast.parse((ROOT / here).read_text(encoding="utf-8")).body[-1]
        assert isinstance(last, ast.Import)
        assert [alias.name for alias in last.names] == [name]


def test_every_room_has_a_level():
    assert {room_of(path) for path in FILES} <= set(LEVELS)


def test_kernels_import_nothing_of_tinynet_but_kernels():
    for path in python_files("kernels"):
        for name in imported_modules(path):
            assert not name.startswith("tinynet") or name.startswith("tinynet.kernels"), f"{path}: {name}"


@pytest.mark.parametrize(
    "module", ["cupy", "matplotlib", "tqdm", "pooch", "safetensors", "tensorboardX", "h5py", "onnx"]
)
def test_optional_modules_are_imported_when_needed(module):
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                )
                assert module not in {name.split(".")[0] for name in names}, path


@pytest.mark.parametrize("package", ATTACHMENTS)
def test_the_engine_runs_without_attachments(package):
    folder = package.replace(".", "/") + "/"
    text = (ROOT / folder / "__init__.py").read_text(encoding="utf-8")
    assert (ast.get_docstring(ast.parse(text)) or "").startswith("Attachment: ")
    for path in [*FILES, ROOT / "tinynet" / "__init__.py"]:
        here = path.relative_to(ROOT).as_posix()
        if not here.startswith((folder, *ATTACHMENTS[package])):
            names = imported_modules(path, inside=False)
            found = [name for name in names if f"{name}.".startswith(f"{package}.")]
            assert not found, f"{here} imports {found} where it begins: import it where it is used"


def test_files_have_limits_and_layers_do_not_know():
    for path in FILES:
        if "tinynet.backend.limits" in imported_modules(path):
            assert room_of(path) == "saving", path


def test_tests_import_no_tests():
    """What several tests need is in a module of its own, which is no test."""
    for path in python_files("tests"):
        if path.name.startswith("test_"):
            parts = {part for name in imported_modules(path) for part in name.split(".")[:-1]}
            assert not {part for part in parts if part.startswith("test_")}, path


def test_top_level_is_fixed():
    expected = {"setup.py", "tinynet", "kernels", "examples", "tests", "benchmarks", "README.md"}
    tools = {"pyproject.toml", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md"}
    found = {
        path.name for path in ROOT.iterdir() if not path.name.startswith(".") and path.suffix != ".egg-info"
    }
    found -= {"build", "dist", "runs", "venv", "__pycache__"}
    assert found <= expected | tools
