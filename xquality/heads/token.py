"""TokenHead: one tag for each word of a sentence."""

from collections.abc import Mapping, Sequence
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
from xquality.heads.batching import Batch, mean_token_loss, padded, rectangle
from xquality.heads.columns import check_classes, check_weights, keys_of, weights_of
from xquality.heads.encoded import Encoded, row_keys
from xquality.heads.head import EpochContext, TrainableHead, choose_metrics, metrics_among
from xquality.heads.tokens import Frame, has_segments
from xquality.heads.wordwise import cut, pieces_of_words
from xquality.metrics import CHUNK_F1, CHUNK_PRECISION, CHUNK_RECALL, WORD_ACCURACY, Examples, Metric, MetricValue
from xquality.metrics.metric import measure

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_IGNORED = -100  # the label of what is no first piece of a word
_METRICS = (CHUNK_F1, CHUNK_PRECISION, CHUNK_RECALL, WORD_ACCURACY)


@final
@dataclass(frozen=True)
class TokenHead(TrainableHead):
    """Tagging, with the stock head that transformers gives the encoder.

    A word's tag is learnt and read at its first piece. A word that gives no piece at all (a zero-width space, say) is
    read as one unknown piece, so that every word has a prediction. A sentence of more pieces than `max_length` is cut
    between words; its parts are read one by one and their tags joined again, so that no word is lost.

    Attributes:
        labels: the tags, in the order of the ClassLabel in the column of tags.
        tokens: the column of words, lists of texts.
        tags: the column of tags, lists of ClassLabel.
        metrics: the metrics to report, the main one first: "f1", "precision" and "recall" of chunks as the official
            code counts them (for parts of speech a run of equal tags is one chunk), and "accuracy" of words, or values
            of your own, which are given lists of tag names.
    """

    labels: _settings.Names
    tokens: _settings.Name = "tokens"
    tags: _settings.Name = "ner_tags"
    metrics: Annotated[tuple[Metric | str, ...], metrics_among(*(metric.name for metric in _METRICS))] = (
        "f1",
        "precision",
        "recall",
    )

    def __post_init__(self) -> None:
        _settings.check_settings(self)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of words and tags."""
        return (self.tokens, self.tags)

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, _METRICS)

    def check(self, data: Dataset) -> None:
        """Raise where the rows are not what this head reads.

        Raises:
            ColumnError: for a missing column, or one that holds no lists of texts.
            LabelError: where tags are no ClassLabel with this head's classes, a word has none, or there are more.
        """
        table = table_of(data)
        words, tags = (get_column(table, name, "TokenHead") for name in (self.tokens, self.tags))
        if not is_text_list(words.type) or not is_variable_list(tags.type):
            raise ColumnError(
                f"TokenHead reads lists of words from {self.tokens!r} and lists of tags from {self.tags!r}, but the "
                f"columns are {words.type} and {tags.type}; name others."
            )
        lengths = [pc.fill_null(pc.list_value_length(one), -1) for one in (words, tags)]
        if words.null_count or not lengths[0].equals(lengths[1]):
            raise LabelError(f"Every word of {self.tokens!r} needs one tag in {self.tags!r}; filter the rows.")
        check_classes(data.features[self.tags].feature, self.labels, pc.list_flatten(tags), "tags")
        check_weights(data)

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return sentences, or their parts, as token ids, with one label a piece and references as names of tags.

        Raises:
            ColumnError, LabelError: as `check`.
        """
        self.check(data)
        table = table_of(data)
        frame = Frame.of(tokenizer)
        room = frame.room(max_length)
        tags = [np.asarray(one, np.int64) for one in table.column(self.tags).to_pylist()]
        ids, segments, labels, owners = [], [], [], []
        for owner, words in enumerate(pieces_of_words(tokenizer, table.column(self.tokens).to_pylist())):
            for start, end in cut([len(one) for one in words], room):
                text = np.concatenate(words[start:end])[:room]
                framed, segment = frame.wrap(text)
                label = np.full(len(framed), _IGNORED, np.int64)
                firsts = np.cumsum([0, *(len(one) for one in words[start : end - 1])])
                label[frame.start() + firsts] = tags[owner][start:end]
                ids.append(framed)
                segments.append(segment)
                labels.append(label)
                owners.append(owner)
        places = np.asarray(owners, np.int64)
        weights = weights_of(table)
        return Encoded(
            ids,
            labels,
            None if weights is None else weights[places],
            segments if has_segments(tokenizer) else (),
            row_keys(keys_of(table), places),
            places,
            [[self.labels[tag] for tag in one] for one in tags],
        )

    def batch(
        self,
        encoded: Encoded,
        rows: Sequence[int],
        tokenizer: "PreTrainedTokenizerBase",
        visit: EpochContext | None = None,  # noqa: ARG002 (a row looks the same on every pass)
    ) -> Batch:
        """Return the rows with `labels` of shape (rows, longest), -100 where there is no first piece of a word."""
        import torch

        made = padded(encoded, rows, int(tokenizer.pad_token_id))
        return {**made, "labels": torch.from_numpy(rectangle([encoded.targets[row] for row in rows], _IGNORED))}

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a fresh layer that tags every piece."""
        from transformers import AutoModelForTokenClassification

        names = dict(enumerate(self.labels))
        model: PreTrainedModel = AutoModelForTokenClassification.from_pretrained(
            folder,
            id2label=names,
            label2id={name: number for number, name in names.items()},
            local_files_only=True,
        )
        return model

    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """Return the mean over words of the cross-entropy, each times its row's weight where there are weights."""
        from torch.nn.functional import cross_entropy

        logits, labels = outputs.logits.float().transpose(1, 2), batch["labels"]
        each = cross_entropy(logits, labels, ignore_index=_IGNORED, reduction="none")
        return mean_token_loss(each, labels != _IGNORED, batch)

    def counted(self, batch: Batch) -> int:
        """Return over how many words the loss of a batch is a mean."""
        return int((batch["labels"] != _IGNORED).sum())

    def predict(self, outputs: Any, batch: Batch) -> list[NDArray[np.int64]]:
        """Return the tags of each row's words as class numbers, each row of shape (words,)."""
        tags = outputs.logits.argmax(dim=-1).cpu().numpy()
        firsts = batch["labels"].cpu().numpy() != _IGNORED
        return [row[first] for row, first in zip(tags, firsts, strict=True)]

    def join(self, predictions: Sequence[Any], encoded: Encoded) -> list[list[str]]:
        """Return the names of each sentence's tags, one a word, its parts joined again."""
        assert encoded.owners is not None
        found: list[list[str]] = [[] for _ in range(encoded.examples)]
        for owner, tags in zip(encoded.owners, predictions, strict=True):
            found[owner].extend(self.labels[tag] for tag in tags)
        return found

    def probabilities(self, outputs: Any, batch: Batch) -> list[list[list[float]]]:
        """Return the probability of each tag for each row's words."""
        found = outputs.logits.double().softmax(dim=-1).cpu().numpy()
        firsts = batch["labels"].cpu().numpy() != _IGNORED
        return [row[first].tolist() for row, first in zip(found, firsts, strict=True)]

    def join_probabilities(self, judged: Sequence[Any], encoded: Encoded) -> list[list[list[float]]]:
        """Return the probabilities of each sentence's words, its parts joined again."""
        assert encoded.owners is not None
        found: list[list[list[float]]] = [[] for _ in range(encoded.examples)]
        for owner, words in zip(encoded.owners, judged, strict=True):
            found[owner].extend(words)
        return found

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's sentences."""
        return measure(self.chosen_metrics, Examples(predictions, references, language, self.labels))

    def submitted(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> list[list[str]]:  # noqa: ARG002 (the prediction says it all)
        """Return the names of each sentence's tags."""
        return [list(one) for one in predictions]

    def gold(self, data: Dataset) -> list[list[str]]:
        """Return the names of each sentence's own tags.

        Raises:
            ColumnError, LabelError: as `check`.
        """
        self.check(data)
        return [[self.labels[tag] for tag in one] for one in table_of(data).column(self.tags).to_pylist()]

    def signature(self) -> Mapping[str, Any]:
        """Return the label space."""
        return {"head": "token", "labels": list(self.labels)}
