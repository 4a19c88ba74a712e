"""TreebankSource: a release of Universal Dependencies on this disk, all treebanks of a language joined as in XTREME."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data.local_files import check_below, folder_below, local_root
from xquality.data.source import Source
from xquality.errors import SourceError
from xquality.tasks.conllu import UPOS, read_conllu

_FILE = re.compile(r"(?P<language>[a-z]+)_\w+-ud-(?P<split>train|dev|test)(-[\w-]+)?\.conllu")
_FEATURES = Features({"tokens": List(Value("string")), "pos_tags": List(ClassLabel(names=list(UPOS)))})


@final
@dataclass(frozen=True)
class TreebankSource:
    """The files of a release below the root; where the root has no release, other rows.

    All treebanks of a language are read, sorted by the names of their files, as XTREME does.

    Attributes:
        rows: where rows come from without a release.
        folder: the release's folder below the root, as its archive unpacks.
    """

    names: ClassVar[Mapping[str, str]] = {"validation": "dev"}

    rows: Source
    folder: str = "ud-treebanks-v2.5"

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return `tokens` and `pos_tags` of one split.

        Raises:
            SourceError: where the release has no such language or split.
            DamagedError: where a file is no CoNLL-U, naming the line.
        """
        base = local_root(root)
        place = folder_below(base, self.folder) if base else None
        if place is None or not place.is_dir():
            return self.rows.load(language, split, root)
        named = [(_FILE.fullmatch(one.name), one) for one in sorted(place.glob("*/*.conllu"), key=lambda one: one.name)]
        mine = [(found["split"], one) for found, one in named if found and found["language"] == language]
        wanted = self.names.get(split, split)
        files = [one for name, one in mine if name == wanted]
        if not files:
            raise SourceError(
                f"{place} has no {wanted!r} files of {language!r}; there are {sorted({name for name, _ in mine})}."
            )
        assert base is not None
        check_below(base, files)
        sentences = [one for file in files for one in read_conllu(file, language)]
        tags = [[UPOS.index(tag) for tag in one] for _, one in sentences]
        return Dataset.from_dict({"tokens": [one for one, _ in sentences], "pos_tags": tags}, features=_FEATURES)
