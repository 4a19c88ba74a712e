"""Tests and reference pages mirror the package, file for file."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(one.relative_to(ROOT / "xquality") for one in (ROOT / "xquality").rglob("*.py"))
SOURCES = [one for one in MODULES if one.name != "__init__.py"]

# Tests that belong to no one module, with what they test.
GENERAL = {
    "metrics/test_parity.py": "the official numbers, over all metrics and the folder's scores",
    "test_bad_input.py": "what is refused, over all modules",
    "test_docs.py": "the README and the pages",
    "test_examples.py": "the examples, run as a user would",
    "test_floors.py": "which module may import which",
    "test_mirror.py": "this mirror",
    "test_rates.py": "the realised rates of all kinds of noise, for few and many rows and classes",
}


def _page(module: Path) -> Path:
    """Return the reference page of a module: `index.md` for a package."""
    return module.with_name("index.md") if module.name == "__init__.py" else module.with_suffix(".md")


@pytest.mark.parametrize("module", MODULES, ids=Path.as_posix)
def test_a_module_has_its_reference_page(module: Path) -> None:
    page = ROOT / "docs" / "reference" / _page(module)
    name = ".".join(["xquality", *(one for one in module.with_suffix("").parts if one != "__init__")])
    assert page.is_file()
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert f"\n::: {name}\n" in text


@pytest.mark.parametrize("module", SOURCES, ids=Path.as_posix)
def test_a_module_has_its_test(module: Path) -> None:
    assert (ROOT / "tests" / module.with_name(f"test_{module.name}")).is_file()


def test_no_page_is_left_without_its_module() -> None:
    pages = {one.relative_to(ROOT / "docs" / "reference") for one in (ROOT / "docs" / "reference").rglob("*.md")}
    assert pages - set(map(_page, MODULES)) == set()


def test_no_test_is_left_without_its_module() -> None:
    tests = {one.relative_to(ROOT / "tests") for one in (ROOT / "tests").rglob("test_*.py")}
    mirrored = {one.with_name(f"test_{one.name}") for one in SOURCES}
    assert tests - mirrored == set(map(Path, GENERAL))


def test_every_page_stands_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [one.relative_to(ROOT / "docs").as_posix() for one in (ROOT / "docs").rglob("*.md")]
    assert [one for one in pages if f": {one}\n" not in navigation] == []


def test_every_section_of_the_navigation_holds_something() -> None:
    lines = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").rstrip().splitlines()
    lines = lines[lines.index("nav:") :]
    depths = [len(one) - len(one.lstrip()) for one in lines]
    after = [*depths[1:], 0]
    empty = [
        line for line, own, next_one in zip(lines, depths, after, strict=True) if line.endswith(":") and next_one <= own
    ]
    assert empty == []
