"""Vocabulary: the words of a corpus in the order of their frequency, fitted once and then frozen."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, is_text, is_text_list
from xquality.errors import ColumnError, DataKindError, SettingError
from xquality.randomness import key
from xquality.transforms.translation_noise.pieces import cells
from xquality.transforms.translation_noise.ranks import Ranks
from xquality.transforms.translation_noise.segmentation import units_of

_BATCH = 10_000


@final
@dataclass(frozen=True)
class Vocabulary:
    """Words to put in the place of others that are about as frequent.

    Fit it to the full training data of one language, before any subsampling: what happens to a row then never depends
    on which other rows are there.

    Attributes:
        words: words between spaces, the most frequent first.
        characters: written characters of scripts without spaces, the most frequent first.

    Example:
        >>> from xquality import toy
        >>> vocabulary = Vocabulary.fit(toy.topics.load("es", "train"), columns=("text",))
        >>> vocabulary.words[:3]
        ('y', 'de', 'cuatro')
    """

    words: tuple[str, ...] = field(repr=False)
    characters: tuple[str, ...] = field(repr=False, default=())

    def __post_init__(self) -> None:
        for name in ("words", "characters"):
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(x, str) for x in given):
                raise SettingError(f"Vocabulary({name}={given!r:.60}) must be a list of words.")
            if len(set(given)) < len(given) or "" in given:
                raise SettingError(f"Vocabulary({name}=...) must name each word once, and none that is empty.")
            try:
                "".join(given).encode()
            except UnicodeEncodeError as fault:
                raise SettingError(f"Vocabulary({name}=...) must hold text, but half a character is there.") from fault
            object.__setattr__(self, name, tuple(given))

    def __repr__(self) -> str:
        return f"<Vocabulary {self.digest}: {len(self.words)} words, {len(self.characters)} characters>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the words as one string: a caller's function that holds them is hashed by `Dataset.map` at once.

        What was looked up and kept is left out, so the hash is the same before and after use.
        """
        return _read, (json.dumps(self.to_dict()),)

    @classmethod
    def fit(cls, data: Dataset, columns: Sequence[str], *, size: int = 20_000) -> Self:
        """Return the `size` most frequent words, and as many characters, of some columns; ties go by spelling.

        Args:
            data: the full training data.
            columns: columns of text, or of lists of tokens.
            size: how many words at most.

        Raises:
            DataKindError: for anything but a `Dataset`.
            ColumnError: for a column that is missing or holds no text, or where there are no words at all.
        """
        if not isinstance(data, Dataset):
            raise DataKindError(f"A vocabulary is fitted to a Dataset, but got {type(data).__name__}.")
        _settings.integer("Vocabulary.fit", "size", size, least=2)
        table = table_of(data)
        counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for name in _settings.texts("Vocabulary.fit", "columns", columns):
            values = get_column(table, name, "Vocabulary.fit")
            if not is_text(values.type) and not is_text_list(values.type):
                raise ColumnError(f"A vocabulary is fitted to text, but {name!r} holds {values.type}; name others.")
            for part in values.chunks:
                for start in range(0, len(part), _BATCH):
                    _count(part.slice(start, _BATCH), counts)
        found = [sorted(one, key=lambda word, one=one: (-one[word], word))[:size] for one in counts]  # type: ignore[misc]
        if not any(found):
            raise ColumnError(f"A vocabulary needs words, but {list(columns)} hold none; name columns of text.")
        return cls(tuple(found[0]), tuple(found[1]))

    def to_dict(self) -> dict[str, Any]:
        """Return the words as plain JSON values."""
        return {"words": list(self.words), "characters": list(self.characters)}

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps: the digest and the sizes."""
        return {"vocabulary": self.digest, "words": len(self.words), "characters": len(self.characters)}

    @cached_property
    def digest(self) -> str:
        """What tells this vocabulary from others, 16 hexadecimal digits."""
        return f"{key('vocabulary', json.dumps(self.to_dict())):016x}"

    def wrong(self, words: pa.Array, spaced: NDArray[np.bool_], luck: NDArray[np.float64]) -> pa.Array:
        """Return another word of about the same rank for each; null where there is none.

        Args:
            words: the right words, shape (words,); one that is not in the vocabulary counts as rarer than all that are.
            spaced: whether each is a word between spaces or a written character, shape (words,).
            luck: a uniform number for each, which chooses among the words that are at most a quarter of the rank away,
                or five places where that is more.
        """
        if spaced.all():
            return self._wrong(0, words, luck)
        found = pa.nulls(len(words), pa.large_string())
        for number, mask in enumerate((spaced, ~spaced)):
            chosen = self._wrong(number, words.filter(pa.array(mask)), luck[mask])
            found = pc.replace_with_mask(found, pa.array(mask), chosen)
        return found

    def _wrong(self, number: int, words: pa.Array, luck: NDArray[np.float64]) -> pa.Array:
        """Return another word of one pool for each."""
        pool, ranks = self._pools[number]
        rank = ranks.find(words)
        reach = np.maximum(5, rank // 4)
        low, high = np.maximum(0, rank - reach), np.minimum(len(pool), rank + reach + 1)
        place = low + (luck * (high - low - (rank < len(pool)))).astype(np.int64)
        place += place >= rank
        return pool.take(pa.array(place, mask=place >= len(pool)))

    @cached_property
    def _pools(self) -> tuple[tuple[pa.Array, Ranks], ...]:
        """The words and the characters as arrays, and where each word stands in them."""
        pools = (pa.array(one, pa.large_string()) for one in (self.words, self.characters))
        return tuple((pool, Ranks.of(pool)) for pool in pools)


def _read(written: str) -> Vocabulary:
    """Return the vocabulary that was written as JSON."""
    return Vocabulary(**json.loads(written))


def _count(texts: pa.Array, counts: tuple[Counter[str], Counter[str]]) -> None:
    """Add the units of some rows to the counts of words and of characters."""
    units = units_of(texts).filled()
    words = cells(units.data, units.start, units.end)
    for number, mask in enumerate((units.spaced, ~units.spaced)):
        for one in pc.value_counts(words.filter(pa.array(mask))).to_pylist():
            counts[number][one["values"]] += one["counts"]
