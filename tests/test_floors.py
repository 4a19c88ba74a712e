"""The house: imports go down only, are declared in each module's docstring, and stay light at the top."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "xquality"
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
# What imports as another name than its package, and what belongs to the standard library's neighbours.
STANDARD = frozenset(__import__("sys").stdlib_module_names)


def declared(file: Path) -> tuple[set[str], set[str]]:
    """Return the modules of this package and the packages of others that a docstring allows."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    found = re.search(r"May import: (.*?)\.\s*\Z", docstring, re.DOTALL)
    assert found, f"{file} says nothing of what it may import"
    own, _, others = found.group(1).replace("\n", " ").partition("|")
    names = lambda text: {re.sub(r"\(.*?\)", "", one).strip() for one in text.split(",")} - {"", "nothing"}  # noqa: E731
    return names(own), names(others) | set(re.findall(r"\((\w+)\)", others))


def imported(file: Path, name: str) -> set[str]:
    """Return all modules that a file imports, at the top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports by a relative name"
            inner = {f"{node.module}.{one.name}" for one in node.names}
            submodules = inner & MODULES.keys()
            found |= submodules
            if len(submodules) < len(node.names):
                found.add(node.module or "")
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_docstring_allows(name: str) -> None:
    own, others = declared(MODULES[name])
    for one in imported(MODULES[name], name):
        top = one.split(".")[0]
        if top == "xquality":
            inner = one.removeprefix("xquality").lstrip(".")
            allowed = any(inner == floor or inner.startswith(f"{floor}.") for floor in own)
            assert allowed or (inner == "" and name == "xquality"), f"{name} imports {one}, which it does not declare"
        elif top not in STANDARD:
            assert top in others or name.rsplit(".", maxsplit=1)[-1] == top, (
                f"{name} imports {one}, which it does not declare"
            )


def test_imports_have_no_cycle() -> None:
    graph = {
        name: {one for one in imported(file, name) if one in MODULES and one != name} for name, file in MODULES.items()
    }
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a cycle: {' -> '.join((*path, name))}"
        if name not in order:
            for one in sorted(graph[name]):
                visit(one, (*path, name))
            order.append(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("name", MODULES)
def test_a_file_holds_one_idea(name: str) -> None:
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= 320, f"{name} has {lines} lines: which idea would split it?"


def test_importing_the_package_loads_neither_torch_nor_transformers(run_python) -> None:
    printed = run_python(
        "import sys, xquality; print([one for one in ('torch', 'transformers', 'sklearn', 'cleanlab', 'matplotlib') if one in sys.modules])"
    )
    assert printed == "[]"


def test_importing_the_tasks_loads_no_torch(run_python) -> None:
    assert run_python("import sys, xquality.tasks, xquality.toy; print('torch' in sys.modules)") == "False"


def test_no_file_names_utils_or_managers() -> None:
    banned = {"utils", "common", "helpers", "manager", "factory", "misc"}
    assert not [name for name in MODULES if set(name.split(".")) & banned]
