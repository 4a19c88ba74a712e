"""BuccSource: BUCC's heaps and gold pairs from the official files, from parquet files in a local folder, or the Hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

from datasets import Dataset

from xquality.data.local_files import check_below, folder_below, local_root, read_local
from xquality.data.source import HubSource
from xquality.errors import DamagedError, SourceError
from xquality.tasks.bucc_files import read_gold, read_heap

Heap = Mapping[str, str]  # sentences by id


@final
@dataclass(frozen=True)
class BuccSource:
    """Splits named "test" and so on hold the gold pairs, "test.source" and "test.target" the two heaps.

    Below a root the official files are read where they are there, such as `bucc2018/de-en/de-en.training.de`; else
    parquet files in the folders `gold` and `sentences` beside them.

    Attributes:
        hub: the heaps and gold pairs on the Hub, one row a language.
        folder: where the files lie below the root, with `{language}` in its place.
    """

    official: ClassVar[Mapping[str, str]] = {"validation": "sample", "test": "training"}

    hub: HubSource
    folder: str = "bucc2018/{language}-en"

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return `source_id`, `target_id`, `source_sentence`, `target_sentence`, or `id`, `sentence`, `lang`.

        Raises:
            SourceError: where there is no such language or split.
            DamagedError: where a file cannot be read, naming the line.
        """
        part, _, side = split.partition(".")
        if part not in self.official or side not in ("", "source", "target"):
            known = [f"{one}{two}" for one in self.official for two in ("", ".source", ".target")]
            raise SourceError(f"BUCC has no split {split!r}; there are {', '.join(known)}.")
        base = local_root(root)
        if base is None:
            return _split(*self._from_hub(language, part), language, side)
        folder = self.folder.format(language=language)
        stem = f"{language}-en.{self.official[part]}"
        files = [folder_below(base, folder) / f"{stem}.{end}" for end in (language, "en", "gold")]
        if any(one.is_file() for one in files):
            check_below(base, files)
            return _split(*_official(files), language, side)
        if not side:
            return read_local(base, f"{folder}/gold", part)
        # The heaps of the sample, which came first, carry no name of their set.
        return read_local(base, f"{folder}/sentences", side if part == "validation" else split)

    def _from_hub(self, language: str, part: str) -> tuple[Heap, Heap, list[tuple[str, str]]]:
        """Return both heaps and the pairs; ids are made as in the official files, from the sentences' numbers."""
        if part == "validation":
            raise SourceError(
                "The sample set of BUCC is not on the Hub; unpack "
                f"bucc2018-{language}-en.sample-gold.tar.bz2 from comparable.limsi.fr/bucc2018 into a folder and give "
                "it as root= or XQUALITY_DATA."
            )
        (row,) = self.hub.load(language, part, None)
        heaps = [
            {f"{name}-{number:09d}": text for number, text in enumerate(row[column], start=1)}
            for name, column in ((language, "sentence1"), ("en", "sentence2"))
        ]
        pairs = [(f"{language}-{one:09d}", f"en-{other:09d}") for one, other in row["gold"]]
        if any(one not in heaps[0] or other not in heaps[1] for one, other in pairs):
            raise DamagedError(
                f"The gold pairs of {self.hub.repository} ({language}) point to sentences that its heaps do not have; "
                "check the revision."
            )
        return heaps[0], heaps[1], pairs


def _official(files: list[Path]) -> tuple[Heap, Heap, list[tuple[str, str]]]:
    """Return both heaps and the pairs from the official files, of which none may be missing."""
    missing = [one.name for one in files if not one.is_file()]
    if missing:
        raise SourceError(f"{files[0].parent} lacks {', '.join(missing)}; unpack the whole archive there.")
    source, target = read_heap(files[0]), read_heap(files[1])
    return source, target, read_gold(files[2], source, target)


def _split(source: Heap, target: Heap, pairs: list[tuple[str, str]], language: str, side: str) -> Dataset:
    """Return a heap, or the pairs."""
    made: dict[str, Any]
    if side:
        heap, name = (source, language) if side == "source" else (target, "en")
        made = {"id": list(heap), "sentence": list(heap.values()), "lang": [name] * len(heap)}
    else:
        made = {
            "source_id": [one for one, _ in pairs],
            "target_id": [other for _, other in pairs],
            "source_sentence": [source[one] for one, _ in pairs],
            "target_sentence": [target[other] for _, other in pairs],
        }
    return Dataset.from_dict(made)
