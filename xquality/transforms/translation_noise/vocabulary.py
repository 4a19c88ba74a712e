"""Vocabulary: the words of a corpus in the order of their frequency, fitted once and then frozen."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Self, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality._settings import check_settings
from xquality.data._datasets import table_of
from xquality.data.arrow import Indices, Mask, get_column, is_text, is_text_list
from xquality.errors import ColumnError, DataKindError, SettingError
from xquality.randomness import Bits, hash_uids, key
from xquality.transforms.translation_noise.segmentation import find_units, is_whole_character

_BATCH = 10_000  # rows counted at a time


def _distinct_words(owner: str, name: str, value: object) -> tuple[str, ...]:
    """Return a sequence of different words as a tuple; a check of a setting."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
        raise SettingError(f"{owner}({name}={value!r:.60}) must be a list of words.")
    words: tuple[str, ...] = tuple(value)
    if len(set(words)) < len(words) or "" in words:
        raise SettingError(f"{owner}({name}=...) must name each word once, and none that is empty.")
    try:
        "".join(words).encode()
    except UnicodeEncodeError as error:
        raise SettingError(f"{owner}({name}=...) must hold valid text, but a word has half a surrogate.") from error
    return words


@final
@dataclass(frozen=True)
class Vocabulary:
    """The words of a language by frequency, from which `TranslationNoise` takes wrong words.

    Fit it to the full training data of one language, before any subsampling: what happens to a row then never depends
    on which other rows are there.

    Attributes:
        words: words between spaces, the most frequent first.
        characters: written characters of scripts without spaces, the most frequent first.

    Raises:
        SettingError: for words that are repeated, empty or no valid text.

    Example:
        >>> from xquality import toy
        >>> vocabulary = Vocabulary.fit(toy.topics.load("es", "train"), columns=("text",))
        >>> vocabulary.words[:3]
        ('y', 'de', 'cuatro')
    """

    words: Annotated[tuple[str, ...], _distinct_words]
    characters: Annotated[tuple[str, ...], _distinct_words] = ()

    def __post_init__(self) -> None:
        check_settings(self)

    def __repr__(self) -> str:
        return f"<Vocabulary {self.digest}: {len(self.words)} words, {len(self.characters)} characters>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Serialise the words as one string, which is fast where `Dataset.map` hashes a function that holds them.

        What is cached on the value is left out, so that the hash is the same before and after use.
        """
        return _from_json, (json.dumps(self.to_dict()),)

    @classmethod
    def fit(cls, data: Dataset, columns: Sequence[str], *, size: int = 20_000) -> Self:
        """Return the `size` most frequent words, and as many characters, of some columns; ties are ordered by spelling.

        Args:
            data: the full training data.
            columns: columns of text, or of lists of tokens.
            size: the maximum number of words, and of characters.

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
            for chunk in values.chunks:
                for start in range(0, len(chunk), _BATCH):
                    _count_units(chunk.slice(start, _BATCH), counts)
        words, characters = (_most_frequent(counter, size) for counter in counts)
        if not words and not characters:
            raise ColumnError(f"A vocabulary needs words, but {list(columns)} hold none; name columns of text.")
        return cls(words, characters)

    def to_dict(self) -> dict[str, Any]:
        """Return the words as plain JSON values."""
        return {"words": list(self.words), "characters": list(self.characters)}

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps: the digest and the sizes."""
        return {"vocabulary": self.digest, "words": len(self.words), "characters": len(self.characters)}

    @cached_property
    def digest(self) -> str:
        """A digest of all words in their order, 16 hexadecimal digits."""
        return f"{key('vocabulary', json.dumps(self.to_dict())):016x}"

    def wrong_words(self, words: pa.Array, spaced: Mask, uniform: NDArray[np.float64]) -> pa.Array:
        """Return another word of about the same frequency for each; null where the vocabulary has none.

        Args:
            words: the right words, shape (words,). One that is not in the vocabulary counts as rarer than all others.
            spaced: whether each is a word between spaces (True) or a written character (False), shape (words,).
            uniform: a number in [0, 1) for each, shape (words,). It chooses among the words whose rank by frequency
                differs by at most a quarter of the rank, or by five where that is more.
        """
        if spaced.all():
            return _choose_neighbours(*self._indices[0], words, uniform)
        chosen = pa.nulls(len(words), pa.large_string())
        for (listed, index), mask in zip(self._indices, (spaced, ~spaced), strict=True):
            neighbours = _choose_neighbours(listed, index, words.filter(pa.array(mask)), uniform[mask])
            chosen = pc.replace_with_mask(chosen, pa.array(mask), neighbours)
        return chosen

    @cached_property
    def _indices(self) -> tuple[tuple[pa.Array, "_WordIndex"], ...]:
        """The words and the characters, as arrays and as indices of their ranks."""
        arrays = (pa.array(listed, pa.large_string()) for listed in (self.words, self.characters))
        return tuple((array, _WordIndex.build(array)) for array in arrays)


@final
@dataclass(frozen=True)
class _WordIndex:
    """A hash table from words to their ranks, built once: Arrow's own `index_in` builds one at every call.

    Two words with the same 64-bit hash are taken for one.

    Attributes:
        hashes: the hashes of the words, ascending, and the highest number at the end, shape (words + 1,).
        rank: the rank of each of these words, and the number of words at the end, shape (words + 1,).
        first: for each value of the leading bits, the first hash that is not below it, shape (buckets,).
        shift: by how many bits a hash is shifted to leave its leading bits.
        steps: the maximum number of hashes with the same leading bits.
    """

    hashes: Bits
    rank: Indices
    first: Indices
    shift: np.uint64
    steps: int

    @classmethod
    def build(cls, words: pa.Array) -> Self:
        """Return the index of different words in the order of their ranks."""
        hashes = hash_uids(words)
        order = np.argsort(hashes)
        width = max(1, len(words)).bit_length() + 2  # a few buckets a word, so that few words share one
        shift = np.uint64(64 - width)
        sizes = np.bincount((hashes >> shift).astype(np.int64), minlength=1 << width)
        return cls(
            hashes=np.append(hashes[order], np.uint64(2**64 - 1)),
            rank=np.append(order, len(words)),
            first=np.cumsum(sizes) - sizes,
            shift=shift,
            steps=int(sizes.max()),
        )

    def ranks(self, words: pa.Array) -> Indices:
        """Return the rank of each word, shape (words,); the number of words in the index for one that is not in it."""
        wanted = hash_uids(words)
        place = self.first[(wanted >> self.shift).astype(np.int64)]
        for _ in range(self.steps):
            place += self.hashes[place] < wanted
        return np.where(self.hashes[place] == wanted, self.rank[place], self.rank[-1])


def _choose_neighbours(listed: pa.Array, index: _WordIndex, words: pa.Array, uniform: NDArray[np.float64]) -> pa.Array:
    """Return for each word another of `listed` with a rank nearby; null where there is none."""
    rank = index.ranks(words)
    reach = np.maximum(5, rank // 4)
    low, high = np.maximum(0, rank - reach), np.minimum(len(listed), rank + reach + 1)
    place = low + (uniform * (high - low - (rank < len(listed)))).astype(np.int64)
    place += place >= rank
    return listed.take(pa.array(place, mask=place >= len(listed)))


def _count_units(texts: pa.Array, counts: tuple[Counter[str], Counter[str]]) -> None:
    """Add the units of some rows to the counts of words and of characters."""
    units = find_units(texts).drop_empty()
    whole = np.ones(len(units.start), np.bool_)
    for unit in np.flatnonzero(units.fragile[units.row] & ~units.spaced).tolist():
        whole[unit] = is_whole_character(texts[int(units.row[unit])].as_py(), units.text(unit))
    for counter, mask in zip(counts, (units.spaced, ~units.spaced & whole), strict=True):
        for counted in pc.value_counts(units.texts(np.flatnonzero(mask))).to_pylist():
            counter[counted["values"]] += counted["counts"]


def _most_frequent(counter: Counter[str], size: int) -> tuple[str, ...]:
    """Return the `size` most frequent words, those of equal frequency by spelling."""
    return tuple(sorted(counter, key=lambda word: (-counter[word], word))[:size])


def _from_json(written: str) -> Vocabulary:
    """Return the vocabulary that was serialised as JSON."""
    return Vocabulary(**json.loads(written))
