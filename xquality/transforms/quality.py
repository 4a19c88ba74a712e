"""How good translations are: sacrebleu's chrF and BLEU against references, or of a round trip against the source."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import regex
from datasets import Dataset

from xquality import _settings
from xquality._settings import Name, at_least, check_settings, choice, real
from xquality.data._datasets import table_of
from xquality.data.arrow import Indices, get_column, is_text, is_text_list
from xquality.data.rows import Detail
from xquality.data.uids import UID
from xquality.errors import ColumnError, DataKindError, UidError
from xquality.text.words import UNSPACED, split_words

_OWNER: Final = "translation_quality"
ROWS_IN_RECORD: Final = 2000  # that a record's scores are of, at most; chrF takes about a millisecond for a sentence
_WRITTEN_CHARACTER: Final = regex.compile(rf"[{UNSPACED}]")

Pair = tuple[str, str]  # a translation and what it is compared with


@final
@dataclass(frozen=True)
class TranslationQuality:
    """How near translations are to what they are compared with; `TranslationNoise.calibrate(chrf=...)` takes it.

    Attributes:
        chrf: sacrebleu's chrF of all texts together, in [0, 100].
        bleu: sacrebleu's BLEU; it compares characters where most words are written characters.
        texts: the number of texts.
        against: "references" for texts by people, "source" for the source texts after a round trip.
        chrf_signature: as sacrebleu prints it.
        bleu_signature: likewise.

    Raises:
        SettingError: for values that cannot be.
    """

    chrf: Annotated[float, real]
    bleu: Annotated[float, real]
    texts: Annotated[int, at_least(1)]
    against: Annotated[str, choice("references", "source")]
    chrf_signature: Name
    bleu_signature: Name

    def __post_init__(self) -> None:
        check_settings(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)


def translation_quality(
    translated: Dataset, references: Dataset, columns: Sequence[str] = ("text",)
) -> TranslationQuality:
    """Return chrF and BLEU of translated rows against rows that people wrote or translated, joined by uid.

    Tokens are joined by spaces. Rows that only one of both has are left out, and so are texts that are null or blank in
    one of them.

    Args:
        translated: rows with translations.
        references: rows of the same language, with the same uids and columns.
        columns: the columns of texts, of lists of texts, or of tokens.

    Raises:
        DataKindError: for anything but two `Dataset`s.
        ColumnError: for a column that is missing or holds no text, or rows without any text.
        UidError: where one of both has no uids, or they share none.

    Example:
        >>> from datasets import Dataset
        >>> machine = Dataset.from_dict({"uid": [1, 2], "text": ["el coche rojo", "un perro"]})
        >>> human = Dataset.from_dict({"uid": [2, 1], "text": ["un perro", "el coche es rojo"]})
        >>> quality = translation_quality(machine, human)
        >>> round(quality.chrf), quality.texts
        (69, 2)
    """
    for data in (translated, references):
        if not isinstance(data, Dataset):
            raise DataKindError(f"{_OWNER} compares two Datasets, but got {type(data).__name__}; give one split.")
        if UID not in data.column_names:
            raise UidError(f"{_OWNER} joins rows by uid, but one of both has none; stamp them with xq.with_uid.")
    names = _settings.texts(_OWNER, "columns", columns)
    table, other = table_of(translated), table_of(references)
    found = find_rows(table.column(UID), other.column(UID))
    if len(table) and (found < 0).all():
        raise UidError(f"{_OWNER} joins rows by uid, but both have no uid in common; load both from one task.")
    here = np.flatnonzero(found >= 0)
    rows = pair_rows(_OWNER, table.take(pa.array(here)), other.take(pa.array(found[here])), names)
    quality = score_pairs([pair for pairs in rows for pair in pairs], "references")
    if quality is None:
        raise ColumnError(f"{_OWNER} found no text in {list(names)} of the rows that both have; name other columns.")
    return quality


def find_rows(uids: pa.ChunkedArray, among: pa.ChunkedArray) -> Indices:
    """Return the number of the row with each uid among others, -1 for none, shape (rows,).

    Raises:
        UidError: where one has integers and the other strings.
    """
    kinds = [pa.int64() if pa.types.is_integer(values.type) else pa.large_string() for values in (uids, among)]
    if kinds[0] != kinds[1]:
        raise UidError("Rows are joined by uid, but one side has integers and the other strings; convert 'uid'.")
    found = pc.index_in(uids.cast(kinds[0]), among.cast(kinds[1]).combine_chunks())
    return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)


def pair_rows(owner: str, table: pa.Table, other: pa.Table, columns: Sequence[str]) -> list[list[Pair]]:
    """Return for each row the texts of some columns beside those of another row, without those that are blank in one.

    Raises:
        ColumnError: for a column that is missing or holds no text.
    """
    pairs: list[list[Pair]] = [[] for _ in range(len(table))]
    for name in columns:
        sides = [_read_texts(get_column(part, name, owner), name, owner) for part in (table, other)]
        for of_row, text, reference in zip(pairs, *sides, strict=True):
            if text.strip() and reference.strip():
                of_row.append((text, reference))
    return pairs


def _read_texts(values: pa.ChunkedArray, name: str, owner: str) -> list[str]:
    """Return the texts of a column; lists are joined by spaces, and a null is the empty text."""
    if not is_text(values.type) and not is_text_list(values.type):
        raise ColumnError(f"{owner} compares texts, but {name!r} holds {values.type}; name others.")
    cells = values.to_pylist()
    return [cell if isinstance(cell, str) else " ".join(token or "" for token in cell or ()) for cell in cells]


def score_pairs(pairs: Sequence[Pair], against: str) -> TranslationQuality | None:
    """Return the scores of translations; None where there are none."""
    if not pairs:
        return None
    translations, references = [text for text, _ in pairs], [reference for _, reference in pairs]
    metrics = [
        sacrebleu_metric("chrf", characters=False),
        sacrebleu_metric("bleu", characters=_are_unspaced(references)),
    ]
    chrf, bleu = (float(metric.corpus_score(translations, [references]).score) for metric in metrics)
    return TranslationQuality(chrf, bleu, len(pairs), against, *(str(metric.get_signature()) for metric in metrics))


def sacrebleu_metric(metric: str, *, characters: bool) -> Any:
    """Return sacrebleu's chrF, or its BLEU over words or over characters."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return CHRF() if metric == "chrf" else BLEU(tokenize="char" if characters else "13a")


def _are_unspaced(texts: Sequence[str]) -> bool:
    """Return whether most words are written characters, of a script without spaces."""
    words = [word for text in texts for word in split_words(text)]
    return 2 * sum(bool(_WRITTEN_CHARACTER.match(word)) for word in words) > len(words)


@final
@dataclass(frozen=True)
class QualityDetail(Detail):
    """The quality of translations in a record: of the rows of all blocks, or of a sample of them drawn by uid.

    Attributes:
        against: what they are compared with, "references" or "source".
        sample: the texts of each row, by the row's draw.
    """

    against: str
    sample: Mapping[float, Sequence[Pair]]

    @property
    def value(self) -> Any:
        """The scores as plain JSON values; None without any text."""
        chosen = sorted(self.sample)[:ROWS_IN_RECORD]
        quality = score_pairs([pair for draw in chosen for pair in self.sample[draw]], self.against)
        return None if quality is None else quality.to_dict()

    def merge(self, other: "QualityDetail") -> "QualityDetail":
        """Return the quality of both blocks."""
        both = {**self.sample, **other.sample}
        return QualityDetail(self.against, {draw: both[draw] for draw in sorted(both)[:ROWS_IN_RECORD]})
