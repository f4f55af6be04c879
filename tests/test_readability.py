"""What one reads at a time stays small, and says what it does.

Budgets count tokens, not lines: names, numbers, operators and brackets. Comments, docstrings and line ends
are free, so that nothing is gained by writing densely. Of a function its own body counts, without the
functions within it and without its parameters, which for much of this code are Keras's.
"""

import ast
import io
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# tinynet/kernels is a link to kernels/.
FILES = sorted(
    {path.resolve() for folder in ("kernels", "tinynet") for path in (ROOT / folder).rglob("*.py")}
)
FREE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER
}  # fmt: skip

FILE_TOKENS = 2450
FUNCTION_TOKENS = 400
AUTOGRAD_TOKENS = 5920  # tinynet/autograd: the whole engine
FILE_LINES = 340  # with docstrings and comments

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Span = tuple[tuple[int, int], tuple[int, int]]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def span(first: ast.AST, last: ast.AST) -> Span:
    return (first.lineno, first.col_offset), (last.end_lineno, last.end_col_offset)  # type: ignore[attr-defined]


def docstrings(tree: ast.AST) -> set[tuple[int, int]]:
    """Where they begin."""
    found = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS))
            and ast.get_docstring(node, clean=False) is not None
        ):
            found.add(span(node.body[0], node.body[0])[0])
    return found


@cache
def tokens(text: str) -> list[tuple[int, int]]:
    """Where the tokens of a file begin, but for the free ones. Columns are in bytes,
    as the syntax tree has them.
    """
    described = docstrings(ast.parse(text))
    lines = text.splitlines()
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in FREE:
            row, column = token.start
            found.append((row, len(lines[row - 1][:column].encode())))
    return [place for place in found if place not in described]


def body_tokens(text: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    begin, end = span(function.body[0], function)
    within = [
        node
        for part in function.body
        for node in ast.walk(part)
        if isinstance(node, (ast.ClassDef, *FUNCTIONS))
    ]
    apart = [span(node, node) for node in within]
    own = [place for place in tokens(text) if begin <= place < end]
    return sum(not any(first <= place < last for first, last in apart) for place in own)


def named(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(parsed(path)) if isinstance(node, FUNCTIONS)]


EXAMPLE = '''
"""Free."""
def outer(a, b=(1, 2)):
    """Free."""
    x = a + b  # free
    def inner():
        return [1, 2, 3]
    "é"; y = x
    return inner
'''


def test_tokens_are_counted_as_said():
    outer, inner = (node for node in ast.walk(ast.parse(EXAMPLE)) if isinstance(node, FUNCTIONS))
    assert body_tokens(EXAMPLE, inner) == 8  # return [ 1 , 2 , 3 ]
    assert body_tokens(EXAMPLE, outer) == 12  # x = a + b   "e" ; y = x   return inner
    assert len(tokens(EXAMPLE)) == 14 + 12 + 5 + 8  # def outer ( a , b = ( 1 , 2 ) ) :   def inner ( ) :


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_keep_to_their_budget(path):
    text = path.read_text(encoding="utf-8")
    here = path.relative_to(ROOT)
    assert len(tokens(text)) <= FILE_TOKENS, f"{here} has {len(tokens(text))} tokens; divide it"
    assert len(text.splitlines()) <= FILE_LINES, f"{here} has {len(text.splitlines())} lines; divide it"
    for function in functions(path):
        count = body_tokens(text, function)
        assert count <= FUNCTION_TOKENS, (
            f"{named(path, function)}: {function.name} has {count} tokens; divide it"
        )


def test_autograd_stays_small():
    count = sum(
        len(tokens(path.read_text(encoding="utf-8")))
        for path in (ROOT / "tinynet" / "autograd").rglob("*.py")
    )
    assert count <= AUTOGRAD_TOKENS, count


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_choice_within_a_choice(path):
    """`a if x else b if y else c` is read twice; an `if` statement,
    or a function of its own, is read once.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.IfExp):
            assert not any(isinstance(part, ast.IfExp) for part in (node.test, node.body, node.orelse)), (
                named(path, node)
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_or_self_is_no_statement(path):
    """`self.rules.update(...) or self` calls for what it does;
    what it gives is written in a line of its own.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            last = node.values[-1]
            assert not (isinstance(last, ast.Name) and last.id == "self"), (
                f"{named(path, node)}: {ast.unparse(node)}"
            )


KERNELS = [path for path in FILES if path.is_relative_to(ROOT / "kernels")]


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_arguments_of_kernels_travel_by_name(path):
    """Of more than ten, two that change places are not seen;
    a named tuple takes their place (kernels/emit/call.py).
    """
    for function in functions(path):
        count = len(function.args.posonlyargs) + len(function.args.args)
        assert count <= 10, f"{named(path, function)}: {function.name} takes {count} arguments by place"
    for node in ast.walk(parsed(path)):
        for argument in node.args if isinstance(node, ast.Call) else ():
            part = argument.value if isinstance(argument, ast.Starred) else None
            if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Slice):
                listed = isinstance(part.value, ast.Name)  # not x.shape[1:], nor what a function returns
                assert not listed, f"{named(path, node)}: *{ast.unparse(part)} counts places"


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_vector_code_is_called_with_the_names_it_is_written_with(path):
    """Both sides of a call of emitted code are made from one class, or from at most six numbers."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "call_kernel":
            places = node.args[1]
            few = not isinstance(places, ast.Tuple) or len(places.elts) <= 6
            assert few, f"{named(path, node)}: {ast.unparse(places)} counts places"
