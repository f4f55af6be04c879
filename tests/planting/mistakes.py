"""The mistakes that may be planted: small edits of one place in one file, as a tired person would make them.

    comparison   < for <=, == for !=, is for is not, in for not in
    arithmetic   + for -, * for /, a sign lost
    constant     0 for 1, n + 1 for n, a tenth more, True for False: defaults of arguments too
    condition    negated; `and` for `or`
    dropped      a raise, an early return, a call whose result nobody reads, an attribute that is set
    exchanged    min for max, any for all

`places(source)` lists them all. Messages, docstrings, annotations and assertions are left alone: a mistake
there changes no number and no state.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

COMPARISONS = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
ARITHMETIC = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "//",
    ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "|", ast.LShift: ">>", ast.RShift: "<<", ast.Pow: "*",
    ast.MatMult: "*",
}  # fmt: skip
EXCHANGED = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "minimum": "maximum",
    "maximum": "minimum",
}
SILENT = {"warn", "print"}  # what they say is a message


class Mistake(NamedTuple):
    """An edit: the text from `start` to `end` of a file becomes `text`."""

    kind: str
    line: int
    start: int
    end: int
    text: str

    def planted(self, source: str) -> str:
        return source[: self.start] + self.text + source[self.end :]


def places(source: str) -> list[Mistake]:
    """Every mistake that can be planted in a file, in the order of its lines."""
    found = _Finder(source)
    found.visit(ast.parse(source))
    return sorted(found.mistakes, key=lambda mistake: (mistake.start, mistake.end, mistake.kind))


class _Finder(ast.NodeVisitor):
    """Walks a file and notes the places; the text between two nodes is where an operator stands."""

    def __init__(self, source: str) -> None:
        self.mistakes: list[Mistake] = []
        lines = source.splitlines(keepends=True)
        self.offsets = [0]
        for line in lines:
            self.offsets.append(self.offsets[-1] + len(line))
        self.source, self.lines = source, lines

    def start(self, node: ast.AST) -> int:
        return self._offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        return self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _offset(self, line: int, column: int) -> int:
        """Place in the text; Python counts columns in bytes of UTF-8."""
        return self.offsets[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def note(self, kind: str, node: ast.AST, start: int, end: int, text: str) -> None:
        self.mistakes.append(Mistake(kind, node.lineno, start, end, text))  # type: ignore[attr-defined]

    def operator(self, kind: str, node: ast.AST, left: ast.AST, right: ast.AST, text: str) -> None:
        """Exchanges the operator between two operands, parentheses kept."""
        start, end = self.end(left), self.start(right)
        between = self.source[start:end]
        if "#" in between or "\n" in between:
            return
        old = between.strip("() ")
        at = start + between.index(old)
        self.note(kind, node, at, at + len(old), text)

    # Expressions

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for i, op in enumerate(node.ops):
            self.operator("comparison", node, operands[i], operands[i + 1], COMPARISONS[type(op)])
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
        if not texts:
            self.operator("arithmetic", node, node.left, node.right, ARITHMETIC[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.operator("arithmetic", node, node.target, node.value, f"{ARITHMETIC[type(node.op)]}=")
        self.dropped(node)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        text = "or" if isinstance(node.op, ast.And) else "and"
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.operator("condition", node, left, right, text)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub | ast.Not):
            kind = "arithmetic" if isinstance(node.op, ast.USub) else "condition"
            self.note(kind, node, self.start(node), self.start(node.operand), "")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self.note("constant", node, self.start(node), self.end(node), str(not value))
        elif isinstance(value, int | float):
            other = 1 - value if value in (0, 1) else value + 1 if isinstance(value, int) else value * 1.1
            self.note("constant", node, self.start(node), self.end(node), repr(other))

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in EXCHANGED:
            end = self.end(node.func)
            self.note("exchanged", node, end - len(name), end, EXCHANGED[name])
        if name not in SILENT:
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Formatted text is a message."""

    # Statements

    def condition(self, node: ast.If | ast.While | ast.IfExp) -> None:
        test = node.test
        if "TYPE_CHECKING" in ast.dump(test):
            return
        text = self.source[self.start(test) : self.end(test)]
        self.note("condition", node, self.start(test), self.end(test), f"not ({text})")
        self.generic_visit(node)

    visit_If = visit_While = visit_IfExp = condition  # noqa: N815

    def dropped(self, node: ast.stmt) -> None:
        self.note("dropped", node, self.start(node), self.end(node), "pass")

    def visit_Raise(self, node: ast.Raise) -> None:
        self.dropped(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        """For the type checker, and for people."""

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.dropped(node)
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self.dropped(node)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]:
            self.visit(default)
        for statement in node.body:
            self.visit(statement)
        for statement in _early(node.body):
            self.dropped(statement)


def _early(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Returns, breaks and continues that stand below a condition."""
    for statement in body:
        for block in ("body", "orelse"):
            for inner in getattr(statement, block, []) if not isinstance(statement, ast.FunctionDef) else []:
                if isinstance(inner, ast.Return | ast.Break | ast.Continue):
                    yield inner
                else:
                    yield from _early([inner])
