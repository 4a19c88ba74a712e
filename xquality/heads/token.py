"""TokenHead: one tag for each word of a sentence."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

import numpy as np
import pyarrow.compute as pc
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, is_text_list, is_variable_list
from xquality.errors import ColumnError, LabelError
from xquality.heads.columns import check_classes, check_no_null, check_weights, encode_parts
from xquality.heads.encoded import IGNORED, Encoded, TensorBatch, fill_rectangle, mean_token_loss
from xquality.heads.head import BatchRows, TrainableHead, choose_metrics, load_with_labels, metrics_among
from xquality.heads.tokenisation import Frame, has_segments, slices
from xquality.metrics import CHUNK_F1, CHUNK_PRECISION, CHUNK_RECALL, WORD_ACCURACY, Examples, Metric, MetricValue
from xquality.metrics.metric import measure

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_METRICS = (CHUNK_F1, CHUNK_PRECISION, CHUNK_RECALL, WORD_ACCURACY)


@final
@dataclass(frozen=True)
class TokenHead(TrainableHead):
    """Tagging, with the stock head of transformers on the encoder.

    A word's tag is learnt and predicted at its first piece. A word without any piece (for example a zero-width space)
    is read as one unknown piece, so that every word has a prediction. A sentence of more pieces than `max_length` is
    cut between words; its parts are read one by one and their tags joined again, so that no word is lost. A word with
    the tag -100 is read, but neither learnt nor scored.

    Attributes:
        labels: the tags, in the order of the ClassLabel in the column of tags.
        tokens: the column of words, lists of texts.
        tags: the column of tags, lists of ClassLabel.
        metrics: the metrics to report, the main one first: "f1", "precision" and "recall" of chunks as the official
            code counts them (for parts of speech a run of equal tags is one chunk), "accuracy" of words, or values of
            your own, whose predictions and references are lists of tag names.
    """

    labels: Annotated[tuple[str, ...], _settings.names_between(2)]
    tokens: _settings.Name = "tokens"
    tags: _settings.Name = "ner_tags"
    metrics: Annotated[tuple[Metric | str, ...], metrics_among(*(metric.name for metric in _METRICS))] = (
        "f1",
        "precision",
        "recall",
    )

    def __post_init__(self) -> None:
        _settings.check_settings(self)
        _settings.check_different("TokenHead", tokens=self.tokens, tags=self.tags)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of words and tags."""
        return (self.tokens, self.tags)

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, _METRICS)

    def check(self, data: Dataset) -> None:
        """Raise if the rows are not what this head reads.

        Raises:
            ColumnError: for a missing column, one that does not hold lists of texts or of tags, or a null text.
            LabelError: for tags with other classes than this head's, and words without a tag or tags without a word.
        """
        table = table_of(data)
        words, tags = (get_column(table, name, "TokenHead") for name in (self.tokens, self.tags))
        if not is_text_list(words.type) or not is_variable_list(tags.type):
            raise ColumnError(
                f"TokenHead reads lists of words from {self.tokens!r} and lists of tags from {self.tags!r}, but the "
                f"columns are {words.type} and {tags.type}; name others."
            )
        check_no_null(words, self.tokens, "TokenHead")
        lengths = [pc.fill_null(pc.list_value_length(lists), -1) for lists in (words, tags)]
        if not lengths[0].equals(lengths[1]):
            raise LabelError(f"Every word of {self.tokens!r} needs one tag in {self.tags!r}; filter the rows.")
        given = pc.list_flatten(tags)
        given = given.filter(pc.fill_null(pc.not_equal(given, IGNORED), True))
        check_classes(data.features[self.tags].feature, self.labels, given, "tags")
        check_weights(data)

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return sentences, or their parts, as token ids, with one label a piece and references as names of tags."""
        self.check(data)
        table = table_of(data)
        frame = Frame.of(tokenizer)
        room = frame.room(max_length)
        tags = [np.asarray(sentence, np.int64) for sentence in table.column(self.tags).to_pylist()]
        ids, segments, labels, owners = [], [], [], []
        for owner, words in enumerate(pieces_of_words(tokenizer, table.column(self.tokens).to_pylist())):
            for start, end in cut_between_words(list(map(len, words)), room):
                framed, segment = frame.wrap(np.concatenate(words[start:end])[:room])
                label = np.full(len(framed), IGNORED, np.int64)
                firsts = np.cumsum([0, *map(len, words[start : end - 1])])
                label[frame.start() + firsts] = tags[owner][start:end]
                ids.append(framed)
                segments.append(segment)
                labels.append(label)
                owners.append(owner)
        references = [[self.labels[tag] for tag in sentence if tag != IGNORED] for sentence in tags]
        return encode_parts(table, owners, ids, segments if has_segments(tokenizer) else [], labels, references)

    def add_targets(self, padded: TensorBatch, batch_rows: BatchRows) -> TensorBatch:
        """Return the batch with `labels`, shape (rows, longest): `IGNORED` except at the first piece of each word."""
        import torch

        return {**padded, "labels": torch.from_numpy(fill_rectangle(batch_rows.targets, IGNORED))}

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a new layer that tags every piece."""
        from transformers import AutoModelForTokenClassification

        return load_with_labels(AutoModelForTokenClassification, folder, self.labels)

    def loss(self, outputs: Any, batch: TensorBatch) -> "torch.Tensor":
        """Return the mean over words of the cross-entropy, each times its row's weight if there are weights."""
        from torch.nn.functional import cross_entropy

        logits, labels = outputs.logits.float().transpose(1, 2), batch["labels"]
        losses = cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")
        return mean_token_loss(losses, labels != IGNORED, batch)

    def count_tokens(self, batch: TensorBatch) -> int:
        """Return the number of words that the loss of a batch is a mean over."""
        return int((batch["labels"] != IGNORED).sum())

    def predict(self, outputs: Any, batch: TensorBatch) -> list[NDArray[np.int64]]:
        """Return the tags of each row's words as class numbers, each row of shape (words,)."""
        tags = outputs.logits.argmax(dim=-1).cpu().numpy()
        firsts = batch["labels"].cpu().numpy() != IGNORED
        return [row[first] for row, first in zip(tags, firsts, strict=True)]

    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[list[str]]:
        """Return the names of each sentence's tags, one a word, its parts joined again."""
        return [[self.labels[tag] for tag in sentence] for sentence in _join_parts(predictions, encoded)]

    def probabilities(self, outputs: Any, batch: TensorBatch) -> list[list[list[float]]]:
        """Return the probability of each tag for each row's words."""
        shares = outputs.logits.double().softmax(dim=-1).cpu().numpy()
        firsts = batch["labels"].cpu().numpy() != IGNORED
        return [row[first].tolist() for row, first in zip(shares, firsts, strict=True)]

    def join_probabilities(self, probabilities: Sequence[Any], encoded: Encoded) -> list[list[list[float]]]:
        """Return the probabilities of each sentence's words, its parts joined again."""
        return _join_parts(probabilities, encoded)

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's sentences."""
        return measure(self.chosen_metrics, Examples(predictions, references, language, self.labels))

    def submission(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> list[list[str]]:  # noqa: ARG002 (predictions are enough)
        """Return the names of each sentence's predicted tags."""
        return [list(sentence) for sentence in predictions]

    def references(self, data: Dataset) -> list[list[str]]:
        """Return the names of each sentence's own tags, without those that are ignored.

        Raises:
            ColumnError, LabelError: as `check`.
        """
        self.check(data)
        sentences = table_of(data).column(self.tags).to_pylist()
        return [[self.labels[tag] for tag in sentence if tag != IGNORED] for sentence in sentences]

    def signature(self) -> Mapping[str, Any]:
        """Return the label space."""
        return {"head": "token", "labels": list(self.labels)}


def _join_parts(parts: Sequence[Any], encoded: Encoded) -> list[list[Any]]:
    """Return what belongs to the words of each sentence, from what belongs to those of each part."""
    assert encoded.owners is not None
    sentences: list[list[Any]] = [[] for _ in range(encoded.examples)]
    for owner, words in zip(encoded.owners, parts, strict=True):
        sentences[owner].extend(words)
    return sentences


def pieces_of_words(
    tokenizer: "PreTrainedTokenizerBase", sentences: Sequence[Sequence[str]]
) -> Iterator[list[NDArray[np.int32]]]:
    """Yield for each sentence the piece ids of each of its words, at least one a word.

    A word for which the tokenizer gives no piece is read as the unknown piece, as in the official XTREME code.

    Args:
        tokenizer: a fast tokenizer.
        sentences: lists of words.
    """
    unknown = np.array([tokenizer.unk_token_id], np.int32)
    for part in slices(len(sentences)):
        several = [[word or "" for word in sentence] for sentence in sentences[part]]
        full = [words for words in several if words]  # the tokenizer takes an empty list for an empty text
        tokens = tokenizer(full, is_split_into_words=True, add_special_tokens=False, verbose=False) if full else None
        place = 0
        for words in several:
            if not words or tokens is None:
                yield []
                continue
            ids = np.asarray(tokens["input_ids"][place], np.int32)
            owners = np.asarray(tokens.word_ids(place), np.int64)
            place += 1
            bounds = np.searchsorted(owners, np.arange(len(words) + 1))
            yield [ids[start:end] if end > start else unknown for start, end in itertools.pairwise(bounds)]


def cut_between_words(lengths: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Return (first word, word after the last) of each part of a sentence, none longer than `room` pieces.

    A word of more than `room` pieces is a part by itself.

    Example:
        >>> cut_between_words([2, 2, 2, 9, 1], room=4)
        [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    parts: list[tuple[int, int]] = []
    start = used = 0
    for word, length in enumerate(lengths):
        if word > start and used + length > room:
            parts.append((start, word))
            start, used = word, 0
        used += length
    return [*parts, (start, len(lengths))] if lengths else parts
