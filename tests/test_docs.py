"""Every Python block of the README and of the pages runs, and prints what stands below it.

The blocks of a file share one module and one empty working directory, in their order. A block marked `text` right
after a Python block is what that block must print.
"""

import contextlib
import io
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("README.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$(?:\n+```text\n(?P<printed>.*?)^```$)?", re.MULTILINE | re.DOTALL)
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES if BLOCK.search(TEXTS[page])],
)
def test_the_blocks_of_a_page_run_in_order(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("XQUALITY_DATA", raising=False)
    module = ModuleType(f"page_{page.stem.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for found in BLOCK.finditer(TEXTS[page]):
        # Empty lines before the code keep the page's line numbers, in tracebacks and for inspect.getsource.
        padding = "\n" * TEXTS[page].count("\n", 0, found.start("code"))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(padding + found["code"], page, "exec"), vars(module))  # noqa: S102 (the pages are our own)
        if found["printed"] is not None:
            assert printed.getvalue() == found["printed"], f"{page.name}, the block at line {len(padding) + 1}"


def test_python_stands_in_blocks_that_are_run() -> None:
    for page, text in TEXTS.items():
        marked = re.findall(r"^\s*(?:```|~~~)\s*(?:py|python|pycon|python3)\b.*$", text, re.MULTILINE)
        assert len(marked) == len(BLOCK.findall(text)), f"{page.name} has a Python block that no test runs"
