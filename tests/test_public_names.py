"""What is public: the names of the package and its submodules, their reference pages, and nothing else."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import xquality as xq

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"
SUBMODULES = tuple(name for name in dir(xq) if name not in xq.__all__)
MODULES = ("xquality", *(f"xquality.{name}" for name in SUBMODULES))


def test_the_package_lists_only_what_is_public(run_python) -> None:
    program = "import xquality; print(*dir(xquality))"
    assert run_python(program).split() == sorted((*xq.__all__, *SUBMODULES))
    assert set(SUBMODULES) <= {entry.stem for entry in (ROOT / "xquality").iterdir()}


def test_the_top_of_the_package_stays_small() -> None:
    entries = {entry.name for entry in (ROOT / "xquality").iterdir()} - {"__pycache__"}
    assert len(entries) <= 28, sorted(entries)


def test_no_file_names_utils_or_managers() -> None:
    banned = {"utils", "common", "helpers", "manager", "factory", "misc"}
    assert not [file for file in (ROOT / "xquality").rglob("*.py") if banned & set(file.with_suffix("").parts)]


def test_submodules_are_imported_when_they_are_used(run_python) -> None:
    heavy = "('torch', 'transformers', 'sklearn', 'cleanlab', 'matplotlib')"
    program = f"import sys, xquality as xq\nprint([name for name in {heavy} if name in sys.modules])\nprint(xq.train.fit.__name__)"
    assert run_python(program).splitlines() == ["[]", "fit"]


def test_importing_the_tasks_loads_no_torch(run_python) -> None:
    assert run_python("import sys, xquality.tasks, xquality.toy; print('torch' in sys.modules)") == "False"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = xq.nothing_of_this_name


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert len(set(getattr(module, "__all__", ()))) == len(getattr(module, "__all__", ()))
    for exported in getattr(module, "__all__", ()):
        value = getattr(module, exported)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{name}.{exported}"
            assert value.__doc__ != "", f"{name}.{exported}"


@pytest.mark.parametrize("name", MODULES)
def test_every_public_module_has_its_reference_page(name: str) -> None:
    inner = name.removeprefix("xquality").lstrip(".")
    page = PAGES / f"{inner or 'index'}.md"
    page = page if page.is_file() else PAGES / inner / "index.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert re.search(rf"^::: {re.escape(name)}$", text, re.MULTILINE)


def test_no_private_module_has_a_reference_page() -> None:
    documented = set()
    for page in PAGES.rglob("*.md"):
        documented |= set(re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE))
    metrics = {f"xquality.metrics.{name}" for name in ("classification", "tagging", "question_answering", "retrieval")}
    assert documented == {*MODULES, *metrics}


def test_every_page_is_in_the_navigation_and_every_section_has_pages() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f": {page}\n" not in navigation] == []
    lines = navigation.rstrip().splitlines()
    lines = lines[lines.index("nav:") :]
    depths = [len(line) - len(line.lstrip()) for line in lines]
    following = [*depths[1:], 0]
    assert [
        line
        for line, depth, after in zip(lines, depths, following, strict=True)
        if line.endswith(":") and after <= depth
    ] == []
