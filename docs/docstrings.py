"""A griffe extension for the reference pages: what a reader of the docstrings needs otherwise than a reader of code."""  # noqa: INP001 (mkdocs loads this file by its path)

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^(\s*)Example(, [^\n]*)?:$", re.MULTILINE)
_IMPORTS = re.compile(r"\n\nMay import:.*\Z", re.DOTALL)


class Docstrings(griffe.Extension):
    """Show examples as code, and leave out which module may import which."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Edit the docstring of one object: only the plural `Examples:` is a section of code to griffe."""
        if obj.docstring is not None:
            shown = _EXAMPLE.sub(r"\1Examples:", obj.docstring.value)
            obj.docstring.value = _IMPORTS.sub("", shown)
