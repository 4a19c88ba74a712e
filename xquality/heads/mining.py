"""MiningHead: finding translations in two monolingual corpora."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, final

import datasets
import numpy as np
import pyarrow as pa
from datasets import Dataset

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, list_columns, read_strings
from xquality.errors import ColumnError, SettingError
from xquality.heads.columns import check_texts, read_keys
from xquality.heads.embedding import EmbeddingHead, search_device
from xquality.heads.encoded import Encoded
from xquality.heads.head import Load, choose_metrics, metrics_among
from xquality.heads.tokenisation import add_prefix, tokenise
from xquality.metrics import Examples, Metric, MetricValue, retrieval
from xquality.metrics._stock import MINED_PAIRS
from xquality.metrics.metric import measure
from xquality.randomness import key

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_TEXT = datasets.Value("string")
_FEATURES = datasets.Features({"id": _TEXT, "sentence": _TEXT, "side": _TEXT, "pairs": datasets.List(_TEXT)})

_SIDES = ("source", "target")
_TEXTS = ("id", "sentence", "side")

Sentence = dict[str, Any]
Pair = tuple[str, str]  # the ids of a source sentence and of a target sentence


def _three_splits(owner: str, name: str, value: object) -> tuple[str, ...]:
    """Return three names of splits as a tuple."""
    names = _settings.texts(owner, name, value)
    try:
        splits = {pattern.format(split="test") for pattern in names}
    except (KeyError, IndexError, ValueError):  # another placeholder, or a brace without its pair
        splits = set()
    if len(names) != 3 or len(splits) != 3:
        raise SettingError(
            f"{owner}({name}={value!r}) must name three different splits, of the source, the target and the gold, such "
            "as ('{split}.source', '{split}.target', '{split}.gold')."
        )
    return names


@final
@dataclass(frozen=True, repr=False)
class MiningHead(EmbeddingHead):
    """Mining of translations, as in BUCC: pairs of two corpora by their margin, those above a threshold against gold.

    It learns nothing: any trained model and any plain encoder can be scored. Candidates come from nearest neighbours in
    both directions; the threshold is the one that scores best on the gold pairs of another split, `tuned_on`, whose
    corpora are mined too. All of it is printed in the score, with the number of gold pairs.

    Rows have the columns `id`, `sentence`, `side` ("source" or "target") and `pairs`, the ids of a source sentence's
    translations.

    Attributes:
        tuned_on: the split that the threshold is tuned on; None for the one that is scored, which is optimistic and
            recorded in the score.
        heaps: for data that have three splits instead of one, the names of those with the source corpus, the target
            corpus and the gold pairs, with `{split}` for the split's name; None if each split has rows as above.
        k: how many neighbours are averaged for the margin.
        margin: "ratio", "distance" or "absolute".
        metrics: the metrics to report, the main one first: "f1", "precision" and "recall" of pairs, or values of your
            own, whose predictions and references are for each sentence of both sides the (source id, target id) pairs
            that begin with it.
    """

    tuned_on: Annotated[str | None, _settings.optional(_settings.text)] = "validation"
    heaps: Annotated[tuple[str, str, str] | None, _settings.optional(_three_splits)] = None
    k: Annotated[int, _settings.at_least(1)] = 4
    margin: Annotated[str, _settings.choice("ratio", "distance", "absolute")] = "ratio"
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("f1", "precision", "recall")] = field(
        default=("f1", "precision", "recall"), repr=False
    )

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of both corpora."""
        return (*_TEXTS, "pairs")

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, MINED_PAIRS)

    def check(self, data: Dataset) -> None:
        """Raise `ColumnError` where the rows are not two corpora that can be mined.

        A column is missing or of another kind, a side is missing or has an id twice, or a sentence contains a tab or a
        line break, which a line of XTREME's files cannot hold.
        """
        check_texts(data, _TEXTS, "MiningHead")
        if "pairs" not in data.column_names:
            raise ColumnError(
                f"MiningHead reads lists of ids from 'pairs', but the data have {list_columns(data.column_names)}."
            )
        parts = data["part"] if "part" in data.column_names else [""] * len(data)
        sides: dict[str, set[str]] = {}
        for part, side in zip(parts, data["side"], strict=True):
            sides.setdefault(part, set()).add(side)
        for part, found in sides.items():
            if found != set(_SIDES):
                raise ColumnError(
                    f"MiningHead mines a 'source' side against a 'target' side, but got {sorted(found)}"
                    f"{part and f' in the part {part!r}'}."
                )
        for part, side, name, text in zip(parts, data["side"], data["id"], data["sentence"], strict=True):
            if any(character in text.strip() for character in "\t\n\r"):
                raise ColumnError(
                    f"The sentence {name!r} of the {side} side{part and f' ({part})'} contains a tab or a line break, "
                    "which mining cannot read back; replace it by a blank."
                )
        counts = Counter(zip(parts, data["side"], data["id"], strict=True))
        (_, side, name), count = counts.most_common(1)[0]
        if count > 1:
            raise ColumnError(f"{count} sentences of the {side} side have the id {name!r}; make ids unique.")

    def gather(self, load: Load, split: str) -> Dataset:
        """Return the corpora of the split that is scored and of the one for the threshold; `part` names which."""
        splits = {"scored": split}
        if self.tuned_on is not None and self.tuned_on != split:
            splits["tuning"] = self.tuned_on
        tables = []
        for part, name in splits.items():
            three = None if self.heaps is None else [load(pattern.format(split=name)) for pattern in self.heaps]
            rows = load(name) if three is None else join_corpora(*three)
            table = table_of(rows)
            for column in (*_TEXTS, "pairs"):
                get_column(table, column, "MiningHead")
            selected = table.select([*_TEXTS, "pairs"]).cast(_FEATURES.arrow_schema)
            tables.append(selected.append_column("part", pa.array([part] * len(selected))))
        features = datasets.Features({**_FEATURES, "part": _TEXT})
        joined = pa.concat_tables(tables).cast(features.arrow_schema)
        return Dataset(joined, info=datasets.DatasetInfo(features=features), fingerprint=f"{key('heaps', split):016x}")

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return one row for each sentence of both corpora."""
        self.check(data)
        table = table_of(data)
        texts = add_prefix(self.prefix, read_strings(table.column("sentence")))
        ids, segments = tokenise(tokenizer, [texts], max_length)
        sentences = table.select([*_TEXTS, "pairs", *(["part"] if "part" in table.column_names else [])]).to_pylist()
        return Encoded(ids, [0] * len(ids), None, segments, read_keys(table), references=sentences)

    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[Any]:  # noqa: ARG002 (a row is an example)
        """Return the predictions: each row is an example."""
        return list(predictions)

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics of each layer over the pairs above the threshold."""
        scored = [references[row] for row in _rows_of(references, "scored")]
        tuned_elsewhere = bool(_rows_of(references, "tuning"))
        values = []
        for layer in predictions[0]:
            pairs, gold, threshold = self._extract(predictions, references, layer)
            signature = {
                **self.layer_signature(layer),
                "k": self.k,
                "margin": self.margin,
                "threshold": round(threshold, 6),
                "tuned_on": self.tuned_on if tuned_elsewhere else "the scored split",
                "gold": len(gold),
            }
            examples = Examples(_by_sentence(pairs, scored), _by_sentence(gold, scored), language)
            values += [
                dataclasses.replace(value, metric=self.metric_name(value.metric, layer))
                for value in measure(self.chosen_metrics, examples, signature)
            ]
        return values

    def submission(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> list[Pair]:  # noqa: ARG002 (the references have the ids)
        """Return the pairs above the threshold, as (source id, target id).

        Raises:
            SettingError: if several layers are read.
        """
        return self._extract(predictions, references, self.only_layer(predictions[0]))[0]

    def references(self, data: Dataset) -> list[Pair]:
        """Return the gold pairs of the part that is scored, as (source id, target id).

        Raises:
            ColumnError: as `check`.
        """
        self.check(data)
        rows = data.to_list()
        sources = [rows[row] for row in _rows_of(rows, "scored") if rows[row]["side"] == "source"]
        return [(row["id"], target) for row in sources for target in row["pairs"] or ()]

    def _extract(
        self, vectors: Sequence[Any], references: Sequence[Sentence], layer: int
    ) -> tuple[list[Pair], list[Pair], float]:
        """Return the predicted pairs of the scored part, its gold pairs, and the threshold."""
        mined, gold = self._mine(vectors, references, _rows_of(references, "scored"), layer)
        tuning = _rows_of(references, "tuning")
        tuned = self._mine(vectors, references, tuning, layer) if tuning else (mined, gold)
        threshold = retrieval.best_threshold(*tuned, at_end="keep")["threshold"]
        return retrieval.extract(mined, threshold), gold, threshold

    def _mine(
        self, vectors: Sequence[Any], references: Sequence[Sentence], rows: Sequence[int], layer: int
    ) -> tuple[list[tuple[float, str, str]], list[Pair]]:
        """Return the candidates of one part, as (score, source id, target id), and its gold pairs."""
        sides = [[row for row in rows if references[row]["side"] == side] for side in _SIDES]
        source, target = (np.stack([vectors[row][layer] for row in side]) for side in sides)
        source_sentences, target_sentences = ([references[row]["sentence"].strip() for row in side] for side in sides)
        source_ids, target_ids = ([references[row]["id"] for row in side] for side in sides)
        mined = retrieval.mine(
            source,
            target,
            source_sentences=source_sentences,
            target_sentences=target_sentences,
            k=self.k,
            margin=self.margin,
            device=search_device(),
        )
        gold = [(references[row]["id"], pair) for row in sides[0] for pair in references[row]["pairs"] or ()]
        return [(score, source_ids[row], target_ids[found]) for score, row, found in mined], gold


def _rows_of(sentences: Sequence[Sentence], part: str) -> list[int]:
    """Return the rows of one part, "scored" or "tuning"; rows without a part are scored."""
    return [row for row, sentence in enumerate(sentences) if sentence.get("part", "scored") == part]


def _by_sentence(pairs: Sequence[Pair], sentences: Sequence[Sentence]) -> list[list[Pair]]:
    """Return for each sentence the pairs that begin with it: none for a target sentence."""
    by_source: dict[str, list[Pair]] = {}
    for source, target in pairs:
        by_source.setdefault(source, []).append((source, target))
    return [by_source.get(row["id"], []) if row["side"] == "source" else [] for row in sentences]


def join_corpora(source: Dataset, target: Dataset, gold: Dataset) -> Dataset:
    """Return two corpora and the gold pairs between them as one dataset, in the columns that `MiningHead` reads.

    Args:
        source: the columns `id` and `sentence`.
        target: the same.
        gold: the columns `source_id` and `target_id`.

    Raises:
        ColumnError: for a missing column, and for gold pairs of sentences that are not in the corpora.

    Example:
        >>> source = Dataset.from_dict({"id": ["de-1"], "sentence": ["Es regnet."]})
        >>> target = Dataset.from_dict({"id": ["en-7"], "sentence": ["It rains."]})
        >>> gold = Dataset.from_dict({"source_id": ["de-1"], "target_id": ["en-7"]})
        >>> join_corpora(source, target, gold)["pairs"][:]
        [['en-7'], []]
    """
    for data, names in ((source, _TEXTS[:2]), (target, _TEXTS[:2]), (gold, ("source_id", "target_id"))):
        check_texts(data, names, "MiningHead")
    pairs: dict[str, list[str]] = {}
    for source_id, target_id in zip(gold["source_id"], gold["target_id"], strict=True):
        pairs.setdefault(source_id, []).append(target_id)
    for side, column, data in (("source", "source_id", source), ("target", "target_id", target)):
        ids = set(data["id"])
        missing = next((name for name in gold[column] if name not in ids), None)
        if missing is not None:
            raise ColumnError(
                f"The gold pairs name the {side} sentence {missing!r}, which its corpus lacks; give the whole corpus."
            )
    rows = [
        {"id": name, "sentence": text, "side": side, "pairs": pairs.get(name, []) if side == "source" else []}
        for side, data in zip(_SIDES, (source, target), strict=True)
        for name, text in zip(data["id"], data["sentence"], strict=True)
    ]
    return Dataset.from_list(rows, features=_FEATURES)
