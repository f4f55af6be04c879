"""What editors and type checkers see: every public name and its type,
in a checkout as in a wheel, and mistakes as mistakes.

pyright is what Visual Studio Code runs. The lists that it reads beside the code
are held against what is there at run time.
"""

import ast
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinynet
from tinynet.layers.symbolic import SymbolicTensor

from installing import ROOT, build, checkout, install

SAMPLES = Path(__file__).parent / "fixtures" / "editor"
QUIET = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # about newer versions


def pyright(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyright", *arguments]
    return subprocess.run(command, cwd=cwd, env=QUIET, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editor")
    try:
        started = pyright("--version", cwd=folder)
    except subprocess.TimeoutExpired:
        pytest.skip("pyright does not start here")
    if started.returncode != 0:
        pytest.skip(f"pyright does not start here: {started.stderr.strip().splitlines()[-1:]}")
    return checkout(folder / "checkout")


@pytest.fixture(scope="module", params=["editable", "wheel"])
def found(request, source, tmp_path_factory):
    """What pyright says about the samples and README's programs: {file: [(line, severity, message)]}."""
    folder = tmp_path_factory.mktemp(request.param)
    python = install(build(request.param, source, folder), folder / "environment")
    project = folder / "project"
    project.mkdir()
    for path in SAMPLES.glob("*.py"):
        (project / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (project / "readme.py").write_text("\n".join(programs), encoding="utf-8")
    (project / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}', encoding="utf-8")
    done = pyright("--outputjson", "--pythonpath", str(python), cwd=project)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] == 4
    messages: dict[str, list[tuple[int, str, str]]] = {
        name: [] for name in ("correct", "mistakes", "inferred_types", "readme")
    }
    for one in answer["generalDiagnostics"]:
        place = (one["range"]["start"]["line"] + 1, one["severity"], one["message"])
        messages[Path(one["file"]).stem].append(place)
    return messages


def marked(name: str, mark: str) -> dict[int, str]:
    """{line: what stands behind the mark} of a sample."""
    lines = enumerate((SAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines(), 1)
    return {number: line.partition(mark)[2] for number, line in lines if mark in line}


def test_planted_mistakes_are_reported(found):
    assert all(severity == "error" for _, severity, _ in found["mistakes"])
    assert len(marked("mistakes", "# mistake: ")) == 5
    assert sorted(line for line, _, _ in found["mistakes"]) == list(marked("mistakes", "# mistake: "))


@pytest.mark.parametrize("name", ["correct", "readme"])
def test_nothing_is_said_about_correct_programs(found, name):
    assert found[name] == []


def test_types_are_inferred(found):
    inferred = {
        line: re.fullmatch(r'Type of ".*" is "(.*)"', message)[1]
        for line, _, message in found["inferred_types"]
    }
    assert inferred == marked("inferred_types", ")  # ")


def test_the_correct_sample_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, SAMPLES / "correct.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


# From an operation to its kernel


class Server:
    """pyright as an editor talks to it: messages in JSON, each after a header with its length."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, cwd=folder, env=QUIET, **pipes)
        self.asked = 0
        root = {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": {}}
        self.ask("initialize", **root, workspaceFolders=[{"uri": folder.as_uri(), "name": "checkout"}])
        self.send(method="initialized", params={})

    def send(self, **message: object) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self.process.stdin.flush()

    def receive(self) -> dict:
        size = 0
        while line := self.process.stdout.readline().strip():
            if line.startswith(b"Content-Length:"):
                size = int(line.partition(b":")[2])
        assert size, "the server ended"
        return json.loads(self.process.stdout.read(size))

    def ask(self, method: str, **params: object) -> object:
        self.asked += 1
        self.send(id=self.asked, method=method, params=params)
        while (answer := self.receive()).get("id") != self.asked or "method" in answer:
            if "id" in answer and "method" in answer:  # it asks for settings: none
                self.send(id=answer["id"], result=[None] * len(answer.get("params", {}).get("items", [])))
        return answer["result"]

    def definition(self, path: Path, text: str) -> Path:
        """The file that "go to definition" at the last letter of `text` in `path` leads to."""
        content = path.read_text(encoding="utf-8")
        before = content[: content.index(text) + len(text) - 1]
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": content}
        self.send(method="textDocument/didOpen", params={"textDocument": document})
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        found = self.ask("textDocument/definition", textDocument={"uri": path.as_uri()}, position=position)
        assert found, f"no definition of {text} in {path.name}"
        return Path(found[0]["uri"].removeprefix("file://")).resolve()

    def close(self) -> None:
        self.ask("shutdown")
        self.send(method="exit")
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def server(source):
    server = Server(source)
    yield server
    server.close()


STEPS = [
    ("tinynet/ops/convolution2d.py", "kernels.conv2d", "kernels/conv2d/"),
    ("tinynet/ops/batch_norms.py", "kernels.batch_norm", "kernels/batch_norm"),
    ("tinynet/layers/dense.py", "ops.linear", "tinynet/ops/matrix_products"),
    ("tinynet/__init__.py", "import Parameter, Tensor", "tinynet/autograd/tensor.py"),
]


@pytest.mark.parametrize(("file", "text", "target"), STEPS, ids=[text for _, text, _ in STEPS])
def test_definitions_are_found(server, source, file, text, target):
    assert server.definition(source / file, text).relative_to(source.resolve()).as_posix().startswith(target)


# The lists


def block_for_type_checkers(path: Path) -> list[ast.stmt]:
    """What stands under `if TYPE_CHECKING:` at the top level of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return next(
        node.body
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )


@pytest.mark.parametrize(
    ("module", "lazy"), [("tinynet", tinynet.__all__), ("tinynet.utils", tinynet.utils._ELSEWHERE)]
)
def test_names_for_type_checkers_are_those_that_are_found_when_asked_for(module, lazy):
    body = block_for_type_checkers(Path(importlib.import_module(module).__file__))
    names: dict[str, object] = {}
    exec(compile(ast.Module(body, []), "<for type checkers>", "exec"), names)
    for name in set(lazy):
        assert names[name] is getattr(importlib.import_module(module), name), name
    helpers = {"lookup", "registry", "saving", "reset_names"} if module == "tinynet.utils" else set()
    assert set(names) - {"__builtins__"} - helpers == set(lazy)


def test_the_names_of_tinynet_are_rooms_and_those_of_a_module():
    rooms = set(tinynet.__all__) - set(tinynet._NAMES)
    assert set(tinynet._NAMES) < set(tinynet.__all__)
    assert all(inspect.ismodule(getattr(tinynet, room)) for room in rooms)


def class_body(path: Path, name: str) -> list[ast.stmt]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return next(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name)


def names_in(body: list[ast.stmt]) -> set[str]:
    """Names that the statements of a class define."""
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return names | {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}


PYTHONS = {
    "__module__",
    "__doc__",
    "__slots__",
    "__annotations__",
    "__weakref__",
    "__getattr__",
    "__dict__",
    "__firstlineno__",
}
PYTHONS |= {"__static_attributes__", "__slotnames__"}
AUTOGRAD = ROOT / "tinynet" / "autograd"


@pytest.mark.parametrize("kind", ["Tensor", "Parameter"])
def test_methods_for_type_checkers_are_those_that_are_attached(kind):
    written = names_in(class_body(AUTOGRAD / "tensor.py", kind))
    slots = set(getattr(tinynet, kind).__slots__)
    attached = {
        name: value
        for name, value in vars(getattr(tinynet, kind)).items()
        if name not in written | slots | PYTHONS
    }
    declared = class_body(AUTOGRAD / "tensor_methods.pyi", f"{kind}Methods")
    assert names_in(declared) == set(attached)
    for node in declared:
        value = attached.get(getattr(node, "name", ""))
        if isinstance(node, ast.FunctionDef) and inspect.isroutine(value) and not node.name.startswith("__"):
            parameters = [*inspect.signature(value).parameters.values()][1:]
            arguments = [*node.args.args[1:], *filter(None, [node.args.vararg])]
            assert [p.name for p in parameters] == [argument.arg for argument in arguments], node.name
            defaults = [repr(p.default) for p in parameters if p.default is not p.empty]
            assert defaults == [ast.unparse(default) for default in node.args.defaults], node.name


def test_operators_of_symbolic_tensors_for_type_checkers_are_those_that_are_attached():
    body = class_body(ROOT / "tinynet" / "layers" / "symbolic.py", "SymbolicTensor")
    declared = next(names_in(node.body) for node in body if isinstance(node, ast.If))
    declared = {name for name in declared if name.startswith("__")}
    written = names_in([node for node in body if not isinstance(node, ast.If)])
    assert declared == set(vars(SymbolicTensor)) - written - PYTHONS
