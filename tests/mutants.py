"""Changes of one small thing at a time in the compiled functions of a module, found by a walk over
its syntax tree. `mutations.py` asks the tests about each.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parent.parent

COMPARISONS: Final = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
SIGNS: Final = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


@dataclass(frozen=True, slots=True)
class Mutant:
    file: str
    function: str
    line: int
    kind: str
    old: str
    new: str
    nth: int
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.function, self.old + (f" ({self.nth})" if self.nth > 1 else ""), self.new

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}: {self.old}  →  {self.new}"


def mutants(file: str) -> Iterator[Mutant]:
    """Every change of one thing in the compiled functions of `file`."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    for number, node in enumerate(ast.walk(tree)):
        if not isinstance(node, ast.FunctionDef) or not _is_compiled(node):
            continue
        seen = Counter[tuple[str, str]]()
        for inner, part in enumerate(ast.walk(node)):
            for variant in range(_variants(part, node)):
                changed = copy.deepcopy(tree)
                function = _nth(changed, number)
                old, new = _change(_nth(function, inner), function, variant)
                line = getattr(part, "lineno", node.lineno)
                kind = type(part).__name__
                seen[old, new] += 1
                nth = seen[old, new]
                yield Mutant(file, node.name, line, kind, old, new, nth, ast.unparse(changed))


def _is_compiled(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "compiled" for decorator in function.decorator_list)


def _nth(tree: ast.AST, number: int) -> Any:
    """`ast.walk` goes over equal trees in the same order."""
    return next(node for i, node in enumerate(ast.walk(tree)) if i == number)


def _variants(node: ast.AST, function: ast.FunctionDef) -> int:
    """In how many ways `node` can be changed."""
    match node:
        case ast.Compare():
            return sum(type(operator) in COMPARISONS for operator in node.ops)
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return 1
        case ast.BinOp():
            return int(type(node.op) in SIGNS)
        case ast.Constant(value=value):
            return int(isinstance(value, bool | int | float))
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Continue():
            return int(not _is_docstring(node, function))
        case ast.Return(value=value):
            return int(isinstance(value, ast.Constant) and isinstance(value.value, str))
    return 0


def _is_docstring(node: ast.AST, function: ast.FunctionDef) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _change(node: Any, function: ast.FunctionDef, variant: int) -> tuple[str, str]:
    """Change `node` in place; its text before and after."""
    old = ast.unparse(node)
    match node:
        case ast.Compare():
            places = [i for i, op in enumerate(node.ops) if type(op) in COMPARISONS]
            place = places[variant]
            node.ops[place] = COMPARISONS[type(node.ops[place])]()
        case ast.BoolOp():
            node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        case ast.UnaryOp():
            node.operand, node.op = ast.UnaryOp(ast.Not(), node.operand), ast.Not()
        case ast.BinOp():
            node.op = SIGNS[type(node.op)]()
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant():
            node.value += 1
        case _:
            _remove(node, function)
            return old, "(nothing)"
    return old, ast.unparse(node)


def _remove(statement: ast.stmt, function: ast.FunctionDef) -> None:
    for parent in ast.walk(function):
        for body in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            if isinstance(body, list) and statement in body:
                body[body.index(statement)] = ast.Pass()
