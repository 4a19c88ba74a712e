"""A table of every error and warning text of the package, to be read as a stranger would read it.

One row for each `raise` of an error of the package and each warning: its class, its place, and the text with its
placeholders. Texts in three or more sentences, and those without a full stop, are marked with "!".

python tests/list_messages.py [part of a path, class or text]
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "xquality"
WARNINGS = ("warn", "warnings.warn")


def messages(file: Path) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the class and the text of each message in a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func)
        if name in WARNINGS:
            category = ast.unparse(node.args[1]) if len(node.args) > 1 else "UserWarning"
            yield node.lineno, category, text(node.args[0])
        elif name.endswith("Error") or name == "line_error":
            yield node.lineno, name, text(node.args[-1] if name == "line_error" else node.args[0])


def text(node: ast.expr) -> str:
    """Return the text of an expression, with each placeholder in braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return f"{{{ast.unparse(node.value)}}}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text(node.left) + text(node.right)
    return f"{{{ast.unparse(node)}}}"


def main(wanted: str) -> None:
    """Print the table, in the order of files and lines."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for line, kind, message in sorted(messages(file)):
            row = f"{file.relative_to(PACKAGE)}:{line}\t{kind}\t{message}"
            is_odd = message.count(". ") > 1 or not message.rstrip().endswith((".", "}"))
            if wanted in row:
                print(f"{'!' if is_odd else ' '} {row}")  # noqa: T201 (a script)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
