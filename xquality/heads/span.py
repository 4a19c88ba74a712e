"""SpanHead: the span of a text that answers a question."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

import numpy as np
import pyarrow as pa
from datasets import Dataset

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.heads.answers import Answer, check_answers, first_span, question_ids, ranked
from xquality.heads.batching import Batch, mean_loss, padded
from xquality.heads.columns import check_texts, check_weights, keys_of, weights_of
from xquality.heads.encoded import Encoded, row_keys
from xquality.heads.head import EpochContext, TrainableHead, choose_metrics, metrics_among
from xquality.heads.tokens import Frame, has_segments
from xquality.heads.windows import Spans, Window, best_spans, starts, tokens_with_offsets
from xquality.metrics import Examples, Metric, MetricValue, _stock
from xquality.metrics.metric import measure

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_NOWHERE = (0, 0)  # the target of a window without the answer: the row's first token


@final
@dataclass(frozen=True, repr=False)
class SpanHead(TrainableHead):
    """Extractive question answering over SQuAD's columns, with the stock head that transformers gives the encoder.

    A context that does not fit is read in overlapping windows; training treats windows as rows, evaluation counts
    questions. An answer is always the text at its offsets, in every script, so nothing is put together from pieces.

    Attributes:
        context: the column of texts.
        question: the column of questions.
        answers: the column of answers, `{text: [..], answer_start: [..]}` with offsets in code points; the first is
            learnt, and all are right.
        metric: "squad", or "mlqa" whose normalisation depends on the language of the context; with `unanswerable`
            the rules of SQuAD 2 count.
        stride: how many tokens a window begins after the one before, at most half of what a window takes.
        max_question: questions are cut at this many tokens.
        max_answer: the longest answer in tokens.
        n_best: how many answers are kept for each question.
        unanswerable: whether questions may have no answer (SQuAD 2): empty answers are learnt, and "no answer" is
            predicted where its score is above the best answer's by more than `null_threshold`.
        null_threshold: see `unanswerable`.
        metrics: the metrics to report, the main one first: "f1" and "exact_match" by the rules of `metric`, or values
            of your own, which are given the text of the best answer as prediction and all right answers as reference.
    """

    context: str = "context"
    question: str = "question"
    answers: str = "answers"
    metric: str = "squad"
    stride: int = 128
    max_question: int = 64
    max_answer: int = 30
    n_best: int = 20
    unanswerable: bool = False
    null_threshold: float = 0.0
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("f1", "exact_match")] = field(
        default=("f1", "exact_match"), repr=False
    )

    def __post_init__(self) -> None:
        _settings.check_settings(self)
        _settings.one_of("SpanHead", "metric", self.metric, ("squad",) if self.unanswerable else ("squad", "mlqa"))
        for name in ("stride", "max_question", "max_answer", "n_best"):
            _settings.integer("SpanHead", name, getattr(self, name), least=1)
        _settings.real("SpanHead", "null_threshold", self.null_threshold)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of contexts, questions and answers."""
        return (self.context, self.question, self.answers)

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        rules = _stock.MLQA if self.metric == "mlqa" else _stock.SQUAD
        return choose_metrics(self.metrics, _stock.SQUAD_V2 if self.unanswerable else rules)

    def check(self, data: Dataset) -> None:
        """Raise where the rows are not what this head reads.

        Raises:
            ColumnError: for a missing column, or one of another kind.
            LabelError: for an answer that does not stand at its offset, or a question that needs one and has none.
        """
        check_texts(data, (self.context, self.question), "SpanHead")
        check_weights(data)
        table = table_of(data)
        contexts, answers = table.column(self.context), get_column(table, self.answers, "SpanHead")
        check_answers(read_strings(contexts), answers, self.answers, unanswerable=self.unanswerable)

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return one row for each window, with the tokens of the answer as targets and all answers as references.

        Raises:
            ColumnError, LabelError: as `check`.
        """
        self.check(data)
        table = table_of(data)
        answers = table.column(self.answers).to_pylist()
        ids, segments, targets, owners, places = [], [], [], [], []
        for owner, window, framed, segment in self._windows(table, tokenizer, max_length):
            span = first_span(answers[owner])
            ids.append(framed)
            segments.append(segment)
            targets.append((None if span is None else window.find(span)) or _NOWHERE)
            owners.append(owner)
            places.append(window)
        rows, weights = np.asarray(owners, np.int64), weights_of(table)
        return Encoded(
            ids,
            targets,
            None if weights is None else weights[rows],
            segments if has_segments(tokenizer) else (),
            row_keys(keys_of(table), rows),
            rows,
            [list(one["text"]) for one in answers],
            places=places,
        )

    def _windows(
        self, table: pa.Table, tokenizer: "PreTrainedTokenizerBase", max_length: int
    ) -> Iterator[tuple[int, Window, Any, Any]]:
        """Yield the question's row, the window, and the framed ids and segments of each window."""
        frame = Frame.of(tokenizer, texts=2)
        whole = frame.room(max_length)
        questions, contexts = read_strings(table.column(self.question)), read_strings(table.column(self.context))
        once = list(dict.fromkeys(contexts))  # several questions are asked about each
        read = dict(zip(once, tokens_with_offsets(tokenizer, once), strict=True))
        for owner, (question, _) in enumerate(tokens_with_offsets(tokenizer, questions)):
            ids, offsets = read[contexts[owner]]
            short = question[: min(self.max_question, whole // 2)]
            room = whole - len(short)
            for start in starts(len(ids), room, self.stride):
                part = slice(start, start + room)
                window = Window(contexts[owner], frame.start(len(short)), offsets[part])
                yield owner, window, *frame.wrap(short, ids[part])

    def batch(
        self,
        encoded: Encoded,
        rows: Sequence[int],
        tokenizer: "PreTrainedTokenizerBase",
        visit: EpochContext | None = None,  # noqa: ARG002 (a row looks the same on every pass)
    ) -> Batch:
        """Return the rows with `starts` and `ends` of shape (rows,), and `context`, shape (rows, longest)."""
        import torch

        made = padded(encoded, rows, int(tokenizer.pad_token_id))
        context = np.zeros(made["input_ids"].shape, np.bool_)
        for place, row in enumerate(rows):
            window: Window = encoded.places[row]
            context[place, window.start : window.start + len(window.offsets)] = True
        targets = torch.tensor([encoded.targets[row] for row in rows])
        return {**made, "starts": targets[:, 0], "ends": targets[:, 1], "context": torch.from_numpy(context)}

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a fresh layer that scores every token as a start and as an end."""
        from transformers import AutoModelForQuestionAnswering

        # The folder's configuration may remember another number of labels, that of the stage before.
        model: PreTrainedModel = AutoModelForQuestionAnswering.from_pretrained(
            folder, num_labels=2, local_files_only=True
        )
        return model

    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """Return the mean over windows of the cross-entropies of start and end, weighted where there are weights."""
        import torch
        from torch.nn.functional import cross_entropy

        padding = batch["attention_mask"] == 0
        pairs = ((outputs.start_logits, batch["starts"]), (outputs.end_logits, batch["ends"]))
        both = [
            cross_entropy(logits.float().masked_fill(padding, -torch.inf), one, reduction="none")
            for logits, one in pairs
        ]
        return mean_loss((both[0] + both[1]) / 2, batch)

    def predict(self, outputs: Any, batch: Batch) -> list[tuple[float, Spans]]:
        """Return for each window the score of "no answer", and its best spans as places of tokens in the row."""
        begin, end = outputs.start_logits.float(), outputs.end_logits.float()
        found = best_spans(begin, end, batch["context"].to(begin.device), self.max_answer, self.n_best)
        return list(zip((begin[:, 0] + end[:, 0]).tolist(), found, strict=True))

    def join(self, predictions: Sequence[Any], encoded: Encoded) -> list[list[Answer]]:
        """Return the best answers to each question over all its windows, best first; there is always one."""
        assert encoded.owners is not None
        spans: list[dict[tuple[int, int], float]] = [{} for _ in range(encoded.examples)]
        nulls, texts = [float("inf")] * encoded.examples, [""] * encoded.examples
        for owner, window, (null, found) in zip(encoded.owners, encoded.places, predictions, strict=True):
            texts[owner], nulls[owner] = window.text, min(nulls[owner], null)
            for score, first, last in found:
                span = window.span(first, last)
                spans[owner][span] = max(score, spans[owner].get(span, score))
        threshold = self.null_threshold if self.unanswerable else None
        return [ranked(*one, self.n_best, threshold) for one in zip(texts, spans, nulls, strict=True)]

    def probabilities(self, outputs: Any, batch: Batch) -> list[tuple[float, bool]]:
        """Return for each window the probability of its own answer, or of none, and whether it holds the answer."""
        import torch

        padding = batch["attention_mask"].to(outputs.start_logits.device) == 0
        sure = torch.ones(len(padding), dtype=torch.float64, device=padding.device)
        for logits, one in ((outputs.start_logits, batch["starts"]), (outputs.end_logits, batch["ends"])):
            found = logits.double().masked_fill(padding, -torch.inf).softmax(dim=-1)
            sure = sure * found.gather(1, one.to(found.device)[:, None])[:, 0]
        return list(zip(sure.tolist(), (batch["ends"] > 0).tolist(), strict=True))

    def join_probabilities(self, judged: Sequence[Any], encoded: Encoded) -> list[float]:
        """Return the probability of each question's own answer: in the best window that holds it, or of none in all."""
        assert encoded.owners is not None
        inside, outside = [-1.0] * encoded.examples, [1.0] * encoded.examples
        for owner, (sure, holds) in zip(encoded.owners, judged, strict=True):
            if holds:
                inside[owner] = max(inside[owner], sure)
            else:
                outside[owner] = min(outside[owner], sure)
        return [one if one >= 0 else other for one, other in zip(inside, outside, strict=True)]

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's questions."""
        best = [answers[0].text for answers in predictions]
        return measure(self.chosen_metrics, Examples(best, references, language))

    def submitted(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> dict[str, str]:  # noqa: ARG002 (the prediction says it all)
        """Return the best answer by the question's id.

        Raises:
            ColumnError: where the rows have no ids, or one stands twice.
        """
        return dict(zip(question_ids(data), (one[0].text for one in predictions), strict=True))

    def gold(self, data: Dataset) -> dict[str, list[str]]:
        """Return the right answers by the question's id.

        Raises:
            ColumnError, LabelError: as `check`, and as `submitted`.
        """
        self.check(data)
        answers = table_of(data).column(self.answers).to_pylist()
        return {name: list(one["text"]) for name, one in zip(question_ids(data), answers, strict=True)}

    def signature(self) -> Mapping[str, Any]:
        """Return the label space: two numbers for each token."""
        return {"head": "span"}
