"""Chunk F1 and token accuracy for tagged sentences.

XTREME scores named entities and parts of speech by chunk F1 as seqeval 0.0.12 computes it: the lenient reading of
conlleval, in which an I- tag may open a chunk, a change of type splits one, and nothing is refused. Parts of speech
have no prefixes, so their first letter is read as one: a run of equal tags is one chunk, and tags that begin with S
are chunks of their own. seqeval 1.2.2 differs in what it takes for the type and refuses sentences of unequal length;
both readings are here under their version, the old one is the default. Ours works on whole arrays.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics.sums import column_sums

Sentences = Sequence[Sequence[str]]

_VERSIONS = ("0.0.12", "1.2.2")
_PREFIXES = {"B": 0, "I": 1, "E": 2, "S": 3, "O": 4, ".": 5}
_OTHER = 6  # every other first letter: such a tag opens and closes chunks by its type alone
_B, _I, _E, _S, _O, _DOT = range(6)
_QUIET = np.isin(np.arange(7), (_O, _DOT))
_CLOSES = np.zeros((7, 7), bool)  # [previous prefix, prefix]
_CLOSES[[_E, _S]] = True
_CLOSES[np.ix_([_B, _I], [_B, _S, _O])] = True
_OPENS = np.zeros((7, 7), bool)
_OPENS[:, [_B, _S]] = True
_OPENS[np.ix_([_E, _S, _O], [_E, _I])] = True


def chunk_f1(predictions: Sentences, references: Sentences, seqeval: str = "0.0.12") -> dict[str, float]:
    """Return `{"f1": ..., "precision": ..., "recall": ...}` over all chunks of all sentences.

    Args:
        predictions: for each sentence its tags.
        references: the gold tags. As in the official code, the old reading lays all sentences end to end, so
            sentences of unequal length are scored, with what comes later shifted.
        seqeval: the version whose reading is wanted, "0.0.12" (the one that XTREME's own figures came from) or "1.2.2".

    Raises:
        MetricError: for a tag that is no string or empty, an unknown version, and in the newer reading for sentences
            that differ in number or length or are none at all.

    Example:
        >>> chunk_f1([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "B-ORG"]])
        {'f1': 50.0, 'precision': 50.0, 'recall': 50.0}
        >>> chunk_f1([["CCONJ"]], [["SCONJ"]])["f1"], chunk_f1([["CCONJ"]], [["SCONJ"]], seqeval="1.2.2")["f1"]
        (0.0, 100.0)
    """
    return chunk_f1_from(chunk_counts(predictions, references, seqeval))


def chunk_f1_from(counts: NDArray[Any]) -> dict[str, float]:
    """Return what `chunk_f1` returns, from the counts of `chunk_counts` or from sums of them.

    Args:
        counts: correct, predicted and gold chunks, shape (sentences, 3) or (3,).

    Example:
        >>> chunk_f1_from(chunk_counts([["B-PER", "O"]], [["B-PER", "O"]]))
        {'f1': 100.0, 'precision': 100.0, 'recall': 100.0}
    """
    correct, predicted, gold = column_sums(counts)
    precision = correct / predicted if predicted > 0 else 0.0
    recall = correct / gold if gold > 0 else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return {"f1": f1 * 100, "precision": precision * 100, "recall": recall * 100}


def chunk_counts(predictions: Sentences, references: Sentences, seqeval: str = "0.0.12") -> NDArray[np.int64]:
    """Return for each sentence how many chunks are correct, predicted and gold: what chunk F1 needs to be resampled.

    Returns:
        Counts, shape (sentences, 3); their sums are the corpus's. A correct chunk counts in the gold's sentence.

    Raises:
        MetricError: as `chunk_f1` does.

    Example:
        >>> chunk_counts([["B-PER", "O"], ["O"]], [["B-PER", "B-LOC"], ["O"]]).tolist()
        [[1, 1, 2], [0, 0, 0]]
    """
    if seqeval not in _VERSIONS:
        raise MetricError(f"chunk_f1(seqeval={seqeval!r}) must be one of '0.0.12', '1.2.2'.")
    predictions, references = _sentences(predictions, seqeval), _sentences(references, seqeval)
    if seqeval == "1.2.2":
        _check_lengths(predictions, references)
    types: dict[str, int] = {}
    predicted, gold = _chunks(predictions, seqeval, types), _chunks(references, seqeval, types)
    common = min(len(predicted), len(gold))
    correct = gold[:common].copy()
    correct[(predicted[:common] != correct).any(axis=1), 0] = -1
    counts = np.zeros((max(len(predictions), len(references)), 3), np.int64)
    for column, (chunks, sentences) in enumerate(((correct, references), (predicted, predictions), (gold, references))):
        starts = np.cumsum([0, *(len(one) + 1 for one in sentences)])
        ends = np.flatnonzero(chunks[:, 0] >= 0)
        counts[:, column] = np.bincount(np.searchsorted(starts, ends, "right") - 1, minlength=len(counts))
    return counts


def token_accuracy(predictions: Sentences, references: Sentences) -> dict[str, float]:
    """Return `{"accuracy": share of tokens with the right tag x 100}`, the usual reading for parts of speech.

    Raises:
        MetricError: where sentences differ in number or length, or there is no token.

    Example:
        >>> token_accuracy([["NOUN", "VERB"], ["DET"]], [["NOUN", "NOUN"], ["DET"]])
        {'accuracy': 66.66666666666666}
    """
    return token_accuracy_from(token_counts(predictions, references))


def token_accuracy_from(counts: NDArray[Any]) -> dict[str, float]:
    """Return what `token_accuracy` returns, from the counts of `token_counts` or from sums of them.

    Example:
        >>> token_accuracy_from(token_counts([["NOUN", "VERB"]], [["NOUN", "NOUN"]]))
        {'accuracy': 50.0}
    """
    correct, tokens = column_sums(counts)
    if not tokens:
        raise MetricError("A token accuracy needs at least one token, but there is none; check the split scored.")
    return {"accuracy": correct / tokens * 100}


def token_counts(predictions: Sentences, references: Sentences) -> NDArray[np.int64]:
    """Return for each sentence how many tokens have the right tag, and how many there are.

    Returns:
        Counts, shape (sentences, 2).

    Raises:
        MetricError: where sentences differ in number or length.

    Example:
        >>> token_counts([["NOUN", "VERB"], ["DET"]], [["NOUN", "NOUN"], ["DET"]]).tolist()
        [[1, 2], [1, 1]]
    """
    _check_lengths(predictions, references)
    pairs = zip(predictions, references, strict=True)
    counts = [(sum(map(_equal, one, other)), len(other)) for one, other in pairs]
    return np.array(counts, np.int64).reshape(-1, 2)


def _equal(one: object, other: object) -> bool:
    """Return whether two tags are equal, as a plain bool."""
    return bool(one == other)


def _sentences(sentences: Any, seqeval: str) -> list[list[str]]:
    """Return sentences as lists of tags; the old reading takes a plain list of tags for one sentence."""
    try:
        listed = list(sentences)
        texts = sum(isinstance(one, str) for one in listed)
        if texts == len(listed) > 0 and seqeval == "0.0.12":
            return [listed]
        if not texts:
            return [one if isinstance(one, list) else list(one) for one in listed]
    except TypeError as fault:
        raise MetricError(f"Tags come as a list of sentences, each a list of tags, but {fault}.") from fault
    raise MetricError("Tags come as a list of sentences, each a list of tags, but a string stands for a sentence.")


def _chunks(sentences: list[list[str]], seqeval: str, types: dict[str, int]) -> NDArray[np.int64]:
    """Return for each token the chunk that ends there: its type and its first token, or (-1, -1).

    The sentences are laid end to end with an O after each. As in the official code, a chunk that closes without
    having been opened begins where the last one began.

    Args:
        sentences: the tags.
        seqeval: whose reading.
        types: numbers of the chunk types seen so far, shared by predictions and references; it grows.
    """
    numbers: dict[Any, int] = defaultdict(count().__next__)
    codes = _codes(sentences, numbers)
    prefix_of = np.array([_PREFIXES.get(tag[0], _OTHER) for tag in numbers], np.int8)
    type_of = np.array([types.setdefault(_type(tag, seqeval), len(types)) for tag in numbers], np.int32)
    # One O after the last, as the official code adds; before the first token stands an O whose type is empty.
    first, last = (types.setdefault(one, len(types)) for one in ("", _type("O", seqeval)))
    prefix = np.concatenate([[_O], prefix_of[codes], [_O]], dtype=np.int8)
    kind = np.concatenate([[first], type_of[codes], [last]], dtype=np.int32)
    changed = kind[1:] != kind[:-1]
    closes = _CLOSES[prefix[:-1], prefix[1:]] | (~_QUIET[prefix[:-1]] & changed)
    opens = _OPENS[prefix[:-1], prefix[1:]] | (~_QUIET[prefix[1:]] & changed)
    begins = np.maximum.accumulate(np.where(opens, np.arange(len(opens)), 0))
    ends = np.flatnonzero(closes) - 1  # a chunk closes at the token after its last
    chunks = np.full((len(codes), 2), -1, np.int64)
    chunks[ends] = np.stack([kind[ends + 1], begins[ends]], axis=1)
    return chunks


def _codes(sentences: Sequence[Sequence[str]], numbers: dict[Any, int]) -> NDArray[np.int32]:
    """Return the tags of all sentences as numbers, an O after each sentence; `numbers` grows as tags are met."""
    tags: list[str] = []
    for sentence in sentences:
        tags.extend(sentence)
        tags.append("O")
    try:
        codes = np.fromiter(map(numbers.__getitem__, tags), np.int32, len(tags))
        wrong = [tag for tag in numbers if not isinstance(tag, str) or not tag]
    except TypeError:  # no tag is a list or a dict
        wrong = [tag for tag in tags if not isinstance(tag, str)]
    if wrong:
        raise MetricError(f"A tag is a string that is not empty, but {wrong[0]!r} was found; give lists of tags.")
    return codes


def _type(tag: str, seqeval: str) -> str:
    """Return the type of a tag: the old reading takes what follows the last hyphen, or the whole tag."""
    if seqeval == "0.0.12":
        return tag.rsplit("-", 1)[-1]
    return tag[1:].split("-", 1)[-1] or "_"


def _check_lengths(predictions: Sentences, references: Sentences) -> None:
    """Raise where there is no sentence, or predicted and gold sentences differ in number or length."""
    if len(predictions) != len(references):
        raise MetricError(
            f"Every sentence needs its tags, but {len(predictions)} are predicted for {len(references)} references."
        )
    if not len(references):
        raise MetricError("A score needs at least one sentence, but there is none; check the split that was scored.")
    for row, (one, other) in enumerate(zip(predictions, references, strict=True)):
        if len(one) != len(other):
            raise MetricError(
                f"Sentence {row} has {len(one)} predicted tags for {len(other)} tokens; give one tag for each token."
            )
