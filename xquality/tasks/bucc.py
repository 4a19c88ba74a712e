"""BUCC 2018: translations to be mined from sentences in German, French, Russian or Chinese and others in English.

Nothing is trained. As in XTREME "validation" is the shared task's sample set and "test" its training set. A split holds
the gold pairs (`source_id`, `target_id`, `source_sentence`, `target_sentence`); the sentences to mine are the splits
"validation.source", "validation.target", "test.source" and "test.target" (`id`, `sentence`, `lang`).

XTREME's bundle on the Hub has the gold pairs without the sentences, from which nothing can be mined. The test set is
therefore read from MTEB's copy, which has both; the sample set is nowhere on the Hub. The official files
(comparable.limsi.fr/bucc2018) are read where they are unpacked below the root.

Licence: none is stated; the text is from Wikipedia and News Commentary.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, final

from datasets import Dataset

from xquality._settings import check_settings
from xquality.data.local_files import find_files, line_error, local_root, read_lines, read_local
from xquality.data.source import HubSource, check_source, check_template
from xquality.errors import DamagedError, SourceError
from xquality.heads import MiningHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import to_texts

Sentences = Mapping[str, str]  # sentences by their ids
Pairs = list[tuple[str, str]]  # a source id and a target id each


def to_mining(data: Dataset) -> Dataset:
    """Return gold pairs, or the sentences of one side, without other columns.

    Raises:
        ColumnError: for a missing column.
    """
    if "source_id" in data.column_names:
        return to_texts(data, ("source_id", "target_id", "source_sentence", "target_sentence"))
    return to_texts(data, ("id", "sentence", "lang"))


@final
@dataclass(frozen=True)
class BuccSource:
    """Splits named "test" and so on hold the gold pairs, "test.source" and "test.target" the sentences of both sides.

    Below a root the official files are read where they exist, such as `bucc2018/de-en/de-en.training.de`; else
    parquet files in the folders `gold` and `sentences` beside them.

    Attributes:
        hub: the sentences and gold pairs on the Hub, one row a language.
        folder: where the files are below the root, with `{language}` in its place.
    """

    official: ClassVar[Mapping[str, str]] = {"validation": "sample", "test": "training"}

    hub: Annotated[HubSource, check_source]
    folder: Annotated[str, check_template] = "bucc2018/{language}-en"

    def __post_init__(self) -> None:
        check_settings(self)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return `source_id`, `target_id`, `source_sentence`, `target_sentence`, or `id`, `sentence`, `lang`.

        Raises:
            SourceError: where there is no such language or split.
            DamagedError: where a file cannot be read, naming the line.
        """
        part, _, side = split.partition(".")
        if part not in self.official or side not in ("", "source", "target"):
            known = [f"{name}{ending}" for name in self.official for ending in ("", ".source", ".target")]
            raise SourceError(f"BUCC has no split {split!r}; there are {', '.join(known)}.")
        base = local_root(root)
        if base is None:
            return _make_split(*self._read_hub(language, part), language, side)
        folder = self.folder.format(language=language)
        stem = f"{language}-en.{self.official[part]}"
        files = find_files(base, folder, "{name}.*", stem) or []
        if any(file.name in (f"{stem}.{ending}" for ending in (language, "en", "gold")) for file in files):
            return _make_split(*_read_official(files[0].parent, stem, language), language, side)
        if not side:
            return read_local(base, f"{folder}/gold", part)
        # The files of the sample's sentences, which came first, do not name their set.
        return read_local(base, f"{folder}/sentences", side if part == "validation" else split)

    def _read_hub(self, language: str, part: str) -> tuple[Sentences, Sentences, Pairs]:
        """Return both sides and the pairs; ids are made as in the official files, from the sentences' numbers."""
        if part == "validation":
            raise SourceError(
                "The sample set of BUCC is not on the Hub; unpack "
                f"bucc2018-{language}-en.sample-gold.tar.bz2 from comparable.limsi.fr/bucc2018 into a folder and give "
                "it as root= or XQUALITY_DATA."
            )
        (row,) = self.hub.load(language, part, None)
        source, target = (
            {f"{name}-{number:09d}": text for number, text in enumerate(row[column], start=1)}
            for name, column in ((language, "sentence1"), ("en", "sentence2"))
        )
        pairs = [(f"{language}-{number:09d}", f"en-{other:09d}") for number, other in row["gold"]]
        if any(source_id not in source or target_id not in target for source_id, target_id in pairs):
            raise DamagedError(
                f"The gold pairs of {self.hub.repository} ({language}) point to sentences that do not exist; check the "
                "revision."
            )
        return source, target, pairs


def _read_official(folder: Path, stem: str, language: str) -> tuple[Sentences, Sentences, Pairs]:
    """Return both sides and the pairs from the official files, of which none may be missing."""
    files = [folder / f"{stem}.{ending}" for ending in (language, "en", "gold")]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise SourceError(f"{folder} lacks {', '.join(missing)}; unpack the whole archive there.")
    source, target = read_sentences(files[0]), read_sentences(files[1])
    return source, target, read_pairs(files[2], source, target)


def read_sentences(file: Path) -> dict[str, str]:
    """Return the sentences of a file by their ids, in the file's order. Each line is an id, a tab and a sentence.

    Raises:
        DamagedError: for a line of another form, or a repeated id, naming the line.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(read_lines(file), start=1):
        name, tab, sentence = line.partition("\t")
        if not tab or not name.strip():
            raise line_error(file, number, "an id, a tab and a sentence were expected")
        if name in found:
            raise line_error(file, number, f"the id {name!r} is repeated")
        found[name] = sentence
    return found


def read_pairs(file: Path, source: Collection[str], target: Collection[str]) -> Pairs:
    """Return the gold pairs, in the file's order. Each line is a source id, a tab and a target id.

    Args:
        file: the file.
        source: the ids of the source sentences.
        target: the ids of the target sentences.

    Raises:
        DamagedError: for a line of another form, or an id of no sentence, naming the line.
    """
    pairs = []
    for number, line in enumerate(read_lines(file), start=1):
        source_id, tab, target_id = line.partition("\t")
        if not tab or "\t" in target_id:
            raise line_error(file, number, "two ids with a tab between them were expected")
        for name, sentences in ((source_id, source), (target_id, target)):
            if name not in sentences:
                raise line_error(file, number, f"there is no sentence with the id {name!r}")
        pairs.append((source_id, target_id))
    return pairs


def _make_split(source: Sentences, target: Sentences, pairs: Pairs, language: str, side: str) -> Dataset:
    """Return the sentences of a side, or the pairs."""
    if side:
        sentences, name = (source, language) if side == "source" else (target, "en")
        columns = {"id": list(sentences), "sentence": list(sentences.values()), "lang": [name] * len(sentences)}
        return Dataset.from_dict(columns)
    source_ids, target_ids = [source_id for source_id, _ in pairs], [target_id for _, target_id in pairs]
    return Dataset.from_dict(
        {
            "source_id": source_ids,
            "target_id": target_ids,
            "source_sentence": [source[source_id] for source_id in source_ids],
            "target_sentence": [target[target_id] for target_id in target_ids],
        }
    )


bucc = Task(
    name="bucc",
    languages=("de", "fr", "ru", "zh"),
    source_language="en",
    source=BuccSource(
        HubSource("mteb/BUCC", "414572247440f0ccacf7eb0bb70a31533a0e5443", "bucc2018", configuration="{language}-en")
    ),
    head=MiningHead(heaps=("{split}.source", "{split}.target", "{split}")),
    normalise=to_mining,
    train_languages=(),
    citation="Zweigenbaum et al. 2018, Overview of the Third BUCC Shared Task (BUCC workshop)",
)
