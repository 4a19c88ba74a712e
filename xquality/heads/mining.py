"""MiningHead: finding translations in two heaps of sentences."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, final

import datasets
import numpy as np
import pyarrow as pa
from datasets import Dataset

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import read_strings
from xquality.errors import ColumnError, SettingError
from xquality.heads.columns import check_texts, keys_of
from xquality.heads.embedding import EmbeddingHead
from xquality.heads.encoded import Encoded
from xquality.heads.head import Load, choose_metrics, metrics_among
from xquality.heads.tokens import tokenised
from xquality.metrics import Examples, Metric, MetricValue, retrieval
from xquality.metrics._stock import MINED_PAIRS
from xquality.metrics.metric import measure
from xquality.randomness import key

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_TEXT = datasets.Value("string")
HEAPS = datasets.Features({"id": _TEXT, "sentence": _TEXT, "side": _TEXT, "pairs": datasets.List(_TEXT)})

_SIDES = ("source", "target")
_TEXTS = ("id", "sentence", "side")

Sentence = dict[str, Any]


def _three_splits(owner: str, name: str, value: object) -> tuple[str, ...]:
    """Return three names of splits as a tuple."""
    names = _settings.texts(owner, name, value)
    if len(names) != 3:
        raise SettingError(f"{owner}({name}={value!r}) must name the source, the target and the gold split.")
    return names


@final
@dataclass(frozen=True, repr=False)
class MiningHead(EmbeddingHead):
    """Mining of translations, as in BUCC: pairs of two heaps by their margin, those above a threshold against gold.

    It learns nothing: any trained model and any plain encoder can be scored. Candidates come from nearest neighbours in
    both directions; the threshold is the one that scores best on the gold pairs of another split, `tuned_on`, whose
    heaps are mined too. All of it is printed in the score, the number of gold pairs too.

    Rows have the columns `id`, `sentence`, `side` ("source" or "target") and `pairs`, the ids of a source sentence's
    translations.

    Attributes:
        tuned_on: the split that the threshold is tuned on; None for the one that is scored, which is optimistic and
            says so in the score.
        heaps: for data that have three splits in the place of one, the names of those with the source heap, the target
            heap and the gold pairs, with `{split}` in its place; None where each split holds rows as above.
        k: how many neighbours are averaged for the margin.
        margin: "ratio", "distance" or "absolute".
        metrics: the metrics to report, the main one first: "f1", "precision" and "recall" of pairs, or values of your
            own, which are given for each sentence of both sides the (source id, target id) pairs that begin with it.
    """

    separable: ClassVar[bool] = False

    tuned_on: Annotated[str | None, _settings.optional(_settings.text)] = "validation"
    heaps: Annotated[tuple[str, str, str] | None, _settings.optional(_three_splits)] = None
    k: Annotated[int, _settings.at_least(1)] = 4
    margin: Annotated[str, _settings.choice("ratio", "distance", "absolute")] = "ratio"
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("f1", "precision", "recall")] = field(
        default=("f1", "precision", "recall"), repr=False
    )

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of both heaps."""
        return (*_TEXTS, "pairs")

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, MINED_PAIRS)

    def check(self, data: Dataset) -> None:
        """Raise `ColumnError` where a column is missing or of another kind, or an id stands twice on a side."""
        check_texts(data, _TEXTS, "MiningHead")
        if "pairs" not in data.column_names:
            raise ColumnError(f"MiningHead reads lists of ids from 'pairs', but the data have {data.column_names}.")
        sides = set(data.unique("side"))
        if sides != set(_SIDES):
            raise ColumnError(f"MiningHead mines a 'source' side against a 'target' side, but got {sorted(sides)}.")
        parted = data["part"] if "part" in data.column_names else [""] * len(data)
        known = Counter(zip(parted, data["side"], data["id"], strict=True))
        most, count = known.most_common(1)[0]
        if count > 1:
            raise ColumnError(f"The id {most[2]!r} stands on {count} sentences of the {most[1]} side; make ids unique.")

    def gather(self, load: Load, split: str) -> Dataset:
        """Return the heaps of the split that is scored, and of the one that the threshold is tuned on, in `part`."""
        wanted = {"scored": split}
        if self.tuned_on is not None and self.tuned_on != split:
            wanted["tuning"] = self.tuned_on
        found = []
        for part, name in wanted.items():
            several = None if self.heaps is None else [load(one.format(split=name)) for one in self.heaps]
            table = table_of(load(name) if several is None else heaps(*several))
            kept = table.select([*_TEXTS, "pairs"]).cast(HEAPS.arrow_schema)
            found.append(kept.append_column("part", pa.array([part] * len(kept))))
        features = datasets.Features({**HEAPS, "part": _TEXT})
        rows = pa.concat_tables(found).cast(features.arrow_schema)
        return Dataset(rows, info=datasets.DatasetInfo(features=features), fingerprint=f"{key('heaps', split):016x}")

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return one row for each sentence of both heaps.

        Raises:
            ColumnError: as `check`.
        """
        self.check(data)
        table = table_of(data)
        ids, segments = tokenised(tokenizer, [read_strings(table.column("sentence"))], max_length)
        sentences = table.select([*_TEXTS, "pairs", *(["part"] if "part" in table.column_names else [])]).to_pylist()
        return Encoded(ids, [0] * len(ids), None, segments, keys_of(table), references=sentences)

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics of each layer over the pairs above the threshold."""
        scored = [row for row in references if row.get("part", "scored") == "scored"]
        tuned_elsewhere = any(row.get("part") == "tuning" for row in references)
        values = []
        for layer in predictions[0]:
            found, gold, threshold = self._extracted(predictions, references, layer)
            signature = {
                **self.made(layer),
                "k": self.k,
                "margin": self.margin,
                "threshold": round(threshold, 6),
                "tuned_on": self.tuned_on if tuned_elsewhere else "the scored split",
                "gold": len(gold),
            }
            examples = Examples(_by_sentence(found, scored), _by_sentence(gold, scored), language)
            values += [
                dataclasses.replace(value, metric=self.named(value.metric, layer))
                for value in measure(self.chosen_metrics, examples, signature)
            ]
        return values

    def submitted(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> list[tuple[str, str]]:  # noqa: ARG002 (the prediction says it all)
        """Return the pairs above the threshold, as (source id, target id).

        Raises:
            SettingError: where several layers are read.
        """
        return self._extracted(predictions, references, self.only_layer(predictions[0]))[0]

    def gold(self, data: Dataset) -> list[tuple[str, str]]:
        """Return the gold pairs of the part that is scored, as (source id, target id).

        Raises:
            ColumnError: as `check`.
        """
        self.check(data)
        rows = [one for one in data.to_list() if one.get("part", "scored") == "scored" and one["side"] == "source"]
        return [(row["id"], other) for row in rows for other in row["pairs"] or ()]

    def _extracted(
        self, vectors: Sequence[Any], references: Sequence[Sentence], layer: int
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]], float]:
        """Return the pairs that are found in the scored part, those that are right, and the threshold."""
        scored = [place for place, one in enumerate(references) if one.get("part", "scored") == "scored"]
        tuning = [place for place, one in enumerate(references) if one.get("part") == "tuning"]
        mined, gold = self._mined(vectors, references, scored, layer)
        tuned = self._mined(vectors, references, tuning, layer) if tuning else (mined, gold)
        threshold = retrieval.best_threshold(*tuned, at_end="keep")["threshold"]
        return retrieval.extract(mined, threshold), gold, threshold

    def _mined(
        self, vectors: Sequence[Any], references: Sequence[Sentence], rows: Sequence[int], layer: int
    ) -> tuple[list[tuple[float, str, str]], list[tuple[str, str]]]:
        """Return the candidates of one part, as (score, source id, target id), and its gold pairs."""
        sides = [[row for row in rows if references[row]["side"] == side] for side in _SIDES]
        source, target = (np.stack([vectors[row][layer] for row in side]) for side in sides)
        texts, names = ([[references[row][one] for row in side] for side in sides] for one in ("sentence", "id"))
        mined = retrieval.mine(
            source,
            target,
            source_sentences=[one.strip() for one in texts[0]],
            target_sentences=[one.strip() for one in texts[1]],
            k=self.k,
            margin=self.margin,
            device=self.search_device(),
        )
        gold = [(references[row]["id"], one) for row in sides[0] for one in references[row]["pairs"] or ()]
        return [(score, names[0][one], names[1][other]) for score, one, other in mined], gold


def heaps(source: Dataset, target: Dataset, gold: Dataset) -> Dataset:
    """Return two heaps and the gold pairs between them as one dataset, in the columns that `MiningHead` reads.

    Args:
        source: the columns `id` and `sentence`.
        target: the same.
        gold: the columns `source_id` and `target_id`.

    Raises:
        ColumnError: for a missing column, and for gold pairs of sentences that the heaps do not hold.

    Example:
        >>> one = Dataset.from_dict({"id": ["de-1"], "sentence": ["Es regnet."]})
        >>> other = Dataset.from_dict({"id": ["en-7"], "sentence": ["It rains."]})
        >>> pairs = Dataset.from_dict({"source_id": ["de-1"], "target_id": ["en-7"]})
        >>> heaps(one, other, pairs)["pairs"][:]
        [['en-7'], []]
    """
    for data, names in ((source, _TEXTS[:2]), (target, _TEXTS[:2]), (gold, ("source_id", "target_id"))):
        check_texts(data, names, "MiningHead")
    known: dict[str, list[str]] = {}
    for one, other in zip(gold["source_id"], gold["target_id"], strict=True):
        known.setdefault(one, []).append(other)
    for side, column, data in (("source", "source_id", source), ("target", "target_id", target)):
        there = set(data["id"])
        lost = next((one for one in gold[column] if one not in there), None)
        if lost is not None:
            raise ColumnError(
                f"The gold pairs name the {side} sentence {lost!r}, which its heap does not hold; give the whole heap."
            )
    rows = [
        {"id": name, "sentence": text, "side": side, "pairs": known.get(name, []) if side == "source" else []}
        for side, data in zip(_SIDES, (source, target), strict=True)
        for name, text in zip(data["id"], data["sentence"], strict=True)
    ]
    return Dataset.from_list(rows, features=HEAPS)


def _by_sentence(pairs: Sequence[tuple[str, str]], sentences: Sequence[Sentence]) -> list[list[tuple[str, str]]]:
    """Return for each sentence the pairs that begin with it: none for a target sentence."""
    starting: dict[str, list[tuple[str, str]]] = {}
    for source, target in pairs:
        starting.setdefault(source, []).append((source, target))
    return [starting.get(row["id"], []) if row["side"] == "source" else [] for row in sentences]
