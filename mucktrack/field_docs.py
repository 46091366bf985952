"""The words below the fields of a class, which Python itself forgets.

Used by `mucktrack.schemas`. Reads the source of the class.
"""

import ast
import inspect
import re
import textwrap

CODE = re.compile(r"`([^`]*)`")


def field_docs(kind: type) -> dict[str, str]:
    """By field: the string that follows it, on one line, without marks of code."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    found: dict[str, str] = {}
    field: str | None = None
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            field = node.target.id
            continue
        if field and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[field] = CODE.sub(r"\1", " ".join(str(node.value.value).split()))
        field = None
    return found
