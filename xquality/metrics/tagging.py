"""Chunk F1 and token accuracy of tagged sentences.

XTREME scores named entities and parts of speech by chunk F1 as seqeval 0.0.12 computes it: the lenient scheme of
conlleval, in which an I- tag may open a chunk, a change of type splits one, and no sequence is invalid. Parts of speech
have no prefixes, so their first letter is read as one: a run of equal tags is one chunk, and each tag that begins with
S is a chunk. seqeval 1.2.2 takes another part of the tag for the type and refuses sentences of unequal length. Both
versions are implemented, on whole arrays; 0.0.12 is the default.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics._sums import column_sums

Sentences = Sequence[Sequence[str]]

_VERSIONS = ("0.0.12", "1.2.2")
_PREFIXES = {"B": 0, "I": 1, "E": 2, "S": 3, "O": 4, ".": 5}
_OTHER = 6  # every other first letter: such a tag opens and closes chunks by its type alone
_B, _I, _E, _S, _O, _DOT = range(6)
_OUTSIDE = np.isin(np.arange(7), (_O, _DOT))
_CLOSES = np.zeros((7, 7), bool)  # [prefix of the previous tag, prefix of the tag]
_CLOSES[[_E, _S]] = True
_CLOSES[np.ix_([_B, _I], [_B, _S, _O])] = True
_OPENS = np.zeros((7, 7), bool)
_OPENS[:, [_B, _S]] = True
_OPENS[np.ix_([_E, _S, _O], [_E, _I])] = True


def chunk_f1(predictions: Sentences, references: Sentences, seqeval: str = "0.0.12") -> dict[str, float]:
    """Return `{"f1": ..., "precision": ..., "recall": ...}` over all chunks of all sentences.

    Args:
        predictions: the predicted tags of each sentence.
        references: the right tags of each sentence. As in the official code, version 0.0.12 concatenates all
            sentences, so sentences of unequal length are scored, and shift everything behind them.
        seqeval: the version to follow, "0.0.12" (which XTREME's published numbers were computed with) or "1.2.2".

    Raises:
        MetricError: for a tag that is no string or empty, an unknown version, and in version 1.2.2 where there is no
            sentence or sentences differ in number or length.

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
        counts: correct, predicted and reference chunks, shape (sentences, 3) or (3,).

    Example:
        >>> chunk_f1_from(chunk_counts([["B-PER", "O"]], [["B-PER", "O"]]))
        {'f1': 100.0, 'precision': 100.0, 'recall': 100.0}
    """
    correct, predicted, actual = column_sums(counts)
    precision = correct / predicted if predicted > 0 else 0.0
    recall = correct / actual if actual > 0 else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return {"f1": f1 * 100, "precision": precision * 100, "recall": recall * 100}


def chunk_counts(predictions: Sentences, references: Sentences, seqeval: str = "0.0.12") -> NDArray[np.int64]:
    """Return for each sentence the numbers of correct, predicted and reference chunks: the statistics of chunk F1.

    Returns:
        Counts, shape (sentences, 3), whose sums give the corpus score. A correct chunk counts in the reference's
        sentence.

    Raises:
        MetricError: as `chunk_f1` does.

    Example:
        >>> chunk_counts([["B-PER", "O"], ["O"]], [["B-PER", "B-LOC"], ["O"]]).tolist()
        [[1, 1, 2], [0, 0, 0]]
    """
    if seqeval not in _VERSIONS:
        raise MetricError(f"chunk_f1(seqeval={seqeval!r}) must be one of '0.0.12', '1.2.2'.")
    predictions, references = _to_lists(predictions, seqeval), _to_lists(references, seqeval)
    if seqeval == "1.2.2":
        _check_lengths(predictions, references)
    types: dict[str, int] = {}
    predicted, actual = _find_chunks(predictions, seqeval, types), _find_chunks(references, seqeval, types)
    common = min(len(predicted), len(actual))
    correct = actual[:common].copy()
    correct[(predicted[:common] != correct).any(axis=1), 0] = -1
    columns = ((correct, references), (predicted, predictions), (actual, references))
    counts = np.zeros((max(len(predictions), len(references)), 3), np.int64)
    for column, (chunks, sentences) in enumerate(columns):
        starts = np.cumsum([0, *(len(sentence) + 1 for sentence in sentences)])
        ends = np.flatnonzero(chunks[:, 0] >= 0)
        counts[:, column] = np.bincount(np.searchsorted(starts, ends, "right") - 1, minlength=len(counts))
    return counts


def token_accuracy(predictions: Sentences, references: Sentences) -> dict[str, float]:
    """Return `{"accuracy": share of tokens with the right tag x 100}`, the usual metric of part-of-speech tagging.

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
    """Return for each sentence the number of tokens with the right tag and of all tokens.

    Returns:
        Counts, shape (sentences, 2).

    Raises:
        MetricError: where sentences differ in number or length.

    Example:
        >>> token_counts([["NOUN", "VERB"], ["DET"]], [["NOUN", "NOUN"], ["DET"]]).tolist()
        [[1, 2], [1, 1]]
    """
    predictions, references = _to_lists(predictions, "1.2.2"), _to_lists(references, "1.2.2")
    _check_lengths(predictions, references)
    pairs = zip(predictions, references, strict=True)
    counts = [(sum(map(_is_equal, predicted, actual)), len(actual)) for predicted, actual in pairs]
    return np.array(counts, np.int64).reshape(-1, 2)


def _is_equal(tag: object, other_tag: object) -> bool:
    """Return whether two tags are equal, as a plain bool."""
    return bool(tag == other_tag)


def _to_lists(sentences: Any, seqeval: str) -> list[list[str]]:
    """Return sentences as lists of tags; in version 0.0.12 a plain list of tags is a single sentence."""
    try:
        listed = list(sentences)
        strings = sum(isinstance(sentence, str) for sentence in listed)
        if strings == len(listed) > 0 and seqeval == "0.0.12":
            return [listed]
        if not strings:
            return [sentence if isinstance(sentence, list) else list(sentence) for sentence in listed]
    except TypeError as fault:
        raise MetricError(f"Tags must be a list of sentences, each a list of tags, but {fault}.") from fault
    raise MetricError("Tags must be a list of sentences, each a list of tags, but a sentence is a string.")


def _find_chunks(sentences: list[list[str]], seqeval: str, types: dict[str, int]) -> NDArray[np.int64]:
    """Return for each token the chunk that ends there, shape (tokens, 2): its type and first token, or (-1, -1).

    The sentences are concatenated with an O after each. As in the official code, a chunk that closes without having
    been opened begins where the last chunk began.

    Args:
        sentences: the tags.
        seqeval: the version to follow.
        types: numbers of the chunk types seen so far, shared by predictions and references; new types are added.
    """
    numbers: dict[Any, int] = defaultdict(count().__next__)
    codes = _encode_tags(sentences, numbers)
    prefix_of = np.array([_PREFIXES.get(tag[0], _OTHER) for tag in numbers], np.int8)
    type_of = np.array([types.setdefault(_chunk_type(tag, seqeval), len(types)) for tag in numbers], np.int32)
    # As in the official code, an O follows the last token, and an O with an empty type precedes the first.
    first, last = (types.setdefault(name, len(types)) for name in ("", _chunk_type("O", seqeval)))
    prefix = np.concatenate([[_O], prefix_of[codes], [_O]], dtype=np.int8)
    kind = np.concatenate([[first], type_of[codes], [last]], dtype=np.int32)
    changed = kind[1:] != kind[:-1]
    closes = _CLOSES[prefix[:-1], prefix[1:]] | (~_OUTSIDE[prefix[:-1]] & changed)
    opens = _OPENS[prefix[:-1], prefix[1:]] | (~_OUTSIDE[prefix[1:]] & changed)
    begins = np.maximum.accumulate(np.where(opens, np.arange(len(opens)), 0))
    ends = np.flatnonzero(closes) - 1  # `closes` is true at the token after the chunk's last
    chunks = np.full((len(codes), 2), -1, np.int64)
    chunks[ends] = np.stack([kind[ends + 1], begins[ends]], axis=1)
    return chunks


def _encode_tags(sentences: Sequence[Sequence[str]], numbers: dict[Any, int]) -> NDArray[np.int32]:
    """Return the tags of all sentences as numbers, with an O after each sentence; new tags are added to `numbers`."""
    tags: list[str] = []
    for sentence in sentences:
        tags.extend(sentence)
        tags.append("O")
    try:
        codes = np.fromiter(map(numbers.__getitem__, tags), np.int32, len(tags))
        wrong = [tag for tag in numbers if not isinstance(tag, str) or not tag]
    except TypeError:  # a tag that cannot be hashed, such as a list
        wrong = [tag for tag in tags if not isinstance(tag, str)]
    if wrong:
        raise MetricError(f"A tag is a string that is not empty, but {wrong[0]!r} was found; give lists of tags.")
    return codes


def _chunk_type(tag: str, seqeval: str) -> str:
    """Return the chunk type of a tag: in version 0.0.12 what follows the last hyphen, or the whole tag."""
    if seqeval == "0.0.12":
        return tag.rsplit("-", 1)[-1]
    return tag[1:].split("-", 1)[-1] or "_"


def _check_lengths(predictions: Sentences, references: Sentences) -> None:
    """Raise `MetricError` where there is no sentence, or sentences differ in number or length."""
    if len(predictions) != len(references):
        raise MetricError(
            f"Every sentence needs its tags, but {len(predictions)} are predicted for {len(references)} references."
        )
    if not len(references):
        raise MetricError("A score needs at least one sentence, but there is none; check the split that was scored.")
    for row, (predicted, actual) in enumerate(zip(predictions, references, strict=True)):
        if len(predicted) != len(actual):
            raise MetricError(
                f"Sentence {row} has {len(predicted)} predicted tags for {len(actual)} tokens; give each token one tag."
            )
