"""The files of a study's cells, as tests compare them."""

import json
from pathlib import Path


def contents(folder: Path) -> dict[str, str]:
    """Return every cell file without what may differ: times and host."""
    found = {}
    for file in sorted((folder / "cells").glob("*.json")):
        kept = json.loads(file.read_text(encoding="utf-8"))
        kept["run"] = sorted(kept["run"])
        found[file.name] = json.dumps(kept)
    return found
