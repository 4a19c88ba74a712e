"""RetrievalHead: finding each sentence's translation by nearest neighbour."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, final

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import read_strings
from xquality.errors import MetricError
from xquality.heads.columns import check_texts, read_keys
from xquality.heads.embedding import EmbeddingHead, Vectors, search_device
from xquality.heads.encoded import Encoded, row_keys
from xquality.heads.head import choose_metrics, metrics_among
from xquality.heads.tokenisation import add_prefix, tokenise
from xquality.metrics import ACCURACY, Examples, Metric, MetricValue, retrieval
from xquality.metrics.metric import measure

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@final
@dataclass(frozen=True, repr=False)
class RetrievalHead(EmbeddingHead):
    """Retrieval of translations, as in Tatoeba: for each target sentence the nearest source sentence by cosine.

    It learns nothing: any trained model and any plain encoder can be scored. The layer and the pooling are printed in
    the score. `layers=` reads several layers in one pass; then each metric's name has its layer, as in "accuracy@8".

    Attributes:
        source: the column of the sentences that are searched (in XTREME those of the foreign language).
        target: the column of the sentences whose translations are searched (in XTREME the English ones).
        metrics: the metrics to report, the main one first: "accuracy", or values of your own, whose predictions are
            for each target sentence the row of the source sentence that was found, and whose references are its own
            row.
    """

    source: _settings.Name = "source_sentence"
    target: _settings.Name = "target_sentence"
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("accuracy")] = field(default=("accuracy",), repr=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """The two columns of sentences."""
        return (self.source, self.target)

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, (ACCURACY,))

    def check(self, data: Dataset) -> None:
        """Raise `ColumnError` if a column is missing or is not text."""
        check_texts(data, self.reads, "RetrievalHead")

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return two rows for each pair, the source and the target, without white space at their ends."""
        self.check(data)
        table = table_of(data)
        sides = [[text.strip() for text in read_strings(table.column(name))] for name in self.reads]
        texts = [text for pair in zip(*sides, strict=True) for text in pair]
        ids, segments = tokenise(tokenizer, [add_prefix(self.prefix, texts)], max_length)
        owners = np.repeat(np.arange(len(table)), 2)
        keys = row_keys(read_keys(table), owners)
        return Encoded(ids, [0] * len(ids), None, segments, keys, owners, list(range(len(table))))

    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[tuple[Vectors, Vectors]]:  # noqa: ARG002 (rows come in pairs)
        """Return the vectors of each pair."""
        return list(zip(predictions[::2], predictions[1::2], strict=True))

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics of each layer over the pairs of one language."""
        if not predictions:
            raise MetricError("A score needs at least one pair, but there is none; check the split that was scored.")
        values = []
        for layer in predictions[0][0]:
            examples = Examples(self._nearest(predictions, layer).tolist(), list(references), language)
            values += [
                dataclasses.replace(value, metric=self.metric_name(value.metric, layer))
                for value in measure(self.chosen_metrics, examples, self.layer_signature(layer))
            ]
        return values

    def _nearest(self, pairs: Sequence[tuple[Vectors, Vectors]], layer: int) -> NDArray[np.int64]:
        """Return for each target sentence the row of the nearest source sentence."""
        corpus, queries = (np.stack([pair[side][layer] for pair in pairs]) for side in (0, 1))
        return retrieval.nearest_neighbours(queries, corpus, device=search_device())

    def submission(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> list[int]:  # noqa: ARG002 (predictions are enough)
        """Return for each target sentence the row of the source sentence that is predicted as its translation.

        Raises:
            SettingError: if several layers are read.
        """
        rows: list[int] = self._nearest(predictions, self.only_layer(predictions[0][0])).tolist()
        return rows

    def references(self, data: Dataset) -> list[int]:
        """Return the row of each target sentence's translation: its own."""
        return list(range(len(data)))
