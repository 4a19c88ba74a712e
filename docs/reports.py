"""A hook of mkdocs: the reports of the committed studies are built with the pages, from the cells in `docs/studies`."""  # noqa: INP001 (mkdocs loads this file by its path)

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from xquality.report import write_report
from xquality.study import read_status

_DOCS = Path(__file__).parent
_EXAMPLES = _DOCS.parent / "examples" / "studies"


def on_files(files: Files, *, config: Any) -> Files:
    """Add the report of every study that is finished, and its figures, beside the study's cells."""
    for settings in sorted((_DOCS / "studies").glob("*/*/study.json")):
        study = settings.parent
        if read_status(study).missing:
            continue  # the page says that it is not finished
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place) / study.name
            shutil.copytree(study, copy)
            page = write_report(copy, title=_title(study), exports=True)
            for made in (page, *sorted((copy / "report").glob("*.svg"))):
                name = (study.relative_to(_DOCS) / made.relative_to(copy)).as_posix()
                files.append(File.generated(config, name, content=made.read_bytes()))
    return files


def _title(study: Path) -> str:
    """Return the title that the example gives to the study."""
    script = _EXAMPLES / f"{study.parent.name.replace('-', '_')}.py"
    specification = importlib.util.spec_from_file_location(script.stem, script)
    if specification is None or specification.loader is None:
        raise FileNotFoundError(script)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return str(module.STUDIES[study.name][-1])
