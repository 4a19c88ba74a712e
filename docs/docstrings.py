"""A griffe extension for the reference pages: `Example:` sections of the docstrings are shown as code."""  # noqa: INP001 (mkdocs loads this file by its path)

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^(\s*)Example(, [^\n]*)?:$", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Rename `Example:` to `Examples:`, the only spelling that griffe reads as a section of code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Edit the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(r"\1Examples:", obj.docstring.value)
