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
from xquality.errors import ColumnError
from xquality.heads.answers import (
    PredictedAnswer,
    TokenSpan,
    Window,
    answer_texts,
    best_spans,
    check_answers,
    first_span,
    rank_answers,
    tokens_with_offsets,
    window_starts,
)
from xquality.heads.columns import check_texts, check_weights, encode_parts
from xquality.heads.encoded import Encoded, TensorBatch, mean_loss
from xquality.heads.head import BatchRows, TrainableHead, choose_metrics, metrics_among
from xquality.heads.tokenisation import Frame, has_segments
from xquality.metrics import Examples, Metric, MetricValue, _stock
from xquality.metrics.metric import measure

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_NOWHERE = (0, 0)  # the target of a window without the answer: the row's first token

_Count = Annotated[int, _settings.at_least(1)]


@final
@dataclass(frozen=True, repr=False)
class SpanHead(TrainableHead):
    """Extractive question answering over SQuAD's columns, with the stock head of transformers on the encoder.

    A context that is too long is read in overlapping windows; training treats windows as rows, evaluation counts
    questions. An answer is always the text at its offsets, in every script: it is never assembled from word pieces.

    Attributes:
        context: the column of texts.
        question: the column of questions.
        answers: the column of answers, `{text: [..], answer_start: [..]}` with offsets in code points; the first is
            learnt, and all are right.
        metric: "squad", or "mlqa" whose normalisation depends on the language of the context; with `unanswerable`
            the rules of SQuAD 2 are used.
        stride: how many tokens a window begins after the one before, at most half of a window's tokens.
        max_question: questions are cut at this many tokens.
        max_answer: the longest answer in tokens.
        n_best: how many answers are kept for each question.
        unanswerable: whether questions may have no answer (SQuAD 2): empty answers are learnt, and "no answer" is
            predicted if its score exceeds the best answer's by more than `null_threshold`.
        null_threshold: see `unanswerable`.
        metrics: the metrics to report, the main one first: "f1" and "exact_match" by the rules of `metric`, or values
            of your own, whose predictions are the texts of the best answers and whose references are lists of texts.
    """

    context: _settings.Name = "context"
    question: _settings.Name = "question"
    answers: _settings.Name = "answers"
    metric: str = "squad"
    stride: _Count = 128
    max_question: _Count = 64
    max_answer: _Count = 30
    n_best: _Count = 20
    unanswerable: _settings.Flag = False
    null_threshold: Annotated[float, _settings.real] = 0.0
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("f1", "exact_match")] = field(
        default=("f1", "exact_match"), repr=False
    )

    def __post_init__(self) -> None:
        _settings.check_settings(self)
        _settings.check_different("SpanHead", context=self.context, question=self.question, answers=self.answers)
        _settings.one_of("SpanHead", "metric", self.metric, ("squad",) if self.unanswerable else ("squad", "mlqa"))

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
        """Raise if the rows are not what this head reads.

        Raises:
            ColumnError: for a missing column, or one of another kind.
            LabelError: for an answer that is not found at its offset, or a missing answer to a question that needs one.
        """
        check_texts(data, (self.context, self.question), "SpanHead")
        check_weights(data)
        table = table_of(data)
        contexts, answers = table.column(self.context), get_column(table, self.answers, "SpanHead")
        check_answers(read_strings(contexts), answers, self.answers, unanswerable=self.unanswerable)

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return one row for each window, with the tokens of the answer as targets and all answers as references."""
        self.check(data)
        table = table_of(data)
        answers = table.column(self.answers).to_pylist()
        ids, segments, targets, owners, windows = [], [], [], [], []
        for owner, window, framed, segment in self._windows(table, tokenizer, max_length):
            span = first_span(answers[owner])
            ids.append(framed)
            segments.append(segment)
            targets.append((None if span is None else window.find(span)) or _NOWHERE)
            owners.append(owner)
            windows.append(window)
        references = [answer_texts(answer) for answer in answers]
        segments = segments if has_segments(tokenizer) else []
        return encode_parts(table, owners, ids, segments, targets, references, windows)

    def _windows(
        self, table: pa.Table, tokenizer: "PreTrainedTokenizerBase", max_length: int
    ) -> Iterator[tuple[int, Window, Any, Any]]:
        """Yield the question's row, the window, and the framed ids and segments of each window."""
        frame = Frame.of(tokenizer, texts=2)
        whole = frame.room(max_length)
        questions, contexts = read_strings(table.column(self.question)), read_strings(table.column(self.context))
        different = list(dict.fromkeys(contexts))  # several questions are asked about each
        tokenised = dict(zip(different, tokens_with_offsets(tokenizer, different), strict=True))
        for owner, (question, _) in enumerate(tokens_with_offsets(tokenizer, questions)):
            ids, offsets = tokenised[contexts[owner]]
            short = question[: min(self.max_question, whole // 2)]
            room = whole - len(short)
            for start in window_starts(len(ids), room, self.stride):
                part = slice(start, start + room)
                window = Window(contexts[owner], frame.start(len(short)), offsets[part])
                yield owner, window, *frame.wrap(short, ids[part])

    def add_targets(self, padded: TensorBatch, batch_rows: BatchRows) -> TensorBatch:
        """Return the batch with `starts` and `ends` of shape (rows,), and `context`, shape (rows, longest)."""
        import torch

        context = np.zeros(padded["input_ids"].shape, np.bool_)
        for place, row in enumerate(batch_rows.rows):
            window: Window = batch_rows.encoded.places[row]
            context[place, window.start : window.start + len(window.offsets)] = True
        targets = torch.tensor(batch_rows.targets)
        return {**padded, "starts": targets[:, 0], "ends": targets[:, 1], "context": torch.from_numpy(context)}

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a new layer that scores every token as a start and as an end."""
        from transformers import AutoModelForQuestionAnswering

        # The folder's configuration may hold another number of labels, that of the stage before.
        model: PreTrainedModel = AutoModelForQuestionAnswering.from_pretrained(
            folder, num_labels=2, local_files_only=True, trust_remote_code=False
        )
        return model

    def loss(self, outputs: Any, batch: TensorBatch) -> "torch.Tensor":
        """Return the mean over windows of the cross-entropies of start and end, weighted if there are weights."""
        import torch
        from torch.nn.functional import cross_entropy

        padding = batch["attention_mask"] == 0
        pairs = ((outputs.start_logits, batch["starts"]), (outputs.end_logits, batch["ends"]))
        start, end = (
            cross_entropy(logits.float().masked_fill(padding, -torch.inf), targets, reduction="none")
            for logits, targets in pairs
        )
        return mean_loss((start + end) / 2, batch)

    def predict(self, outputs: Any, batch: TensorBatch) -> list[tuple[float, list[TokenSpan]]]:
        """Return for each window the score of "no answer", and its best spans as numbers of tokens in the row."""
        begin, end = outputs.start_logits.float(), outputs.end_logits.float()
        spans = best_spans(begin, end, batch["context"].to(begin.device), self.max_answer, self.n_best)
        return list(zip((begin[:, 0] + end[:, 0]).tolist(), spans, strict=True))

    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[list[PredictedAnswer]]:
        """Return the best answers to each question from all its windows, best first; there is always one."""
        assert encoded.owners is not None
        spans: list[dict[tuple[int, int], float]] = [{} for _ in range(encoded.examples)]
        nulls, texts = [float("inf")] * encoded.examples, [""] * encoded.examples
        for owner, window, (null, window_spans) in zip(encoded.owners, encoded.places, predictions, strict=True):
            texts[owner], nulls[owner] = window.text, min(nulls[owner], null)
            for score, first, last in window_spans:
                span = window.span(first, last)
                spans[owner][span] = max(score, spans[owner].get(span, score))
        threshold = self.null_threshold if self.unanswerable else None
        questions = zip(texts, spans, nulls, strict=True)
        return [rank_answers(text, scores, null, self.n_best, threshold) for text, scores, null in questions]

    def probabilities(self, outputs: Any, batch: TensorBatch) -> list[tuple[float, bool]]:
        """Return for each window the probability of its own answer, or of none, and whether it holds the answer."""
        import torch

        padding = batch["attention_mask"].to(outputs.start_logits.device) == 0
        product = torch.ones(len(padding), dtype=torch.float64, device=padding.device)
        for logits, targets in ((outputs.start_logits, batch["starts"]), (outputs.end_logits, batch["ends"])):
            shares = logits.double().masked_fill(padding, -torch.inf).softmax(dim=-1)
            product = product * shares.gather(1, targets.to(shares.device)[:, None])[:, 0]
        return list(zip(product.tolist(), (batch["ends"] > 0).tolist(), strict=True))

    def join_probabilities(self, probabilities: Sequence[Any], encoded: Encoded) -> list[float]:
        """Return the probability of each question's own answer: in the best window that holds it, or of none in all."""
        assert encoded.owners is not None
        inside, outside = [-1.0] * encoded.examples, [1.0] * encoded.examples
        for owner, (probability, has_answer) in zip(encoded.owners, probabilities, strict=True):
            if has_answer:
                inside[owner] = max(inside[owner], probability)
            else:
                outside[owner] = min(outside[owner], probability)
        return [answer if answer >= 0 else none for answer, none in zip(inside, outside, strict=True)]

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's questions."""
        best = [answers[0].text for answers in predictions]
        return measure(self.chosen_metrics, Examples(best, references, language))

    def submission(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> dict[str, str]:  # noqa: ARG002 (predictions are enough)
        """Return the best answer by the question's id.

        Raises:
            ColumnError: for rows without ids, or a repeated id.
        """
        return dict(zip(_question_ids(data), (answers[0].text for answers in predictions), strict=True))

    def references(self, data: Dataset) -> dict[str, list[str]]:
        """Return the right answers by the question's id.

        Raises:
            ColumnError, LabelError: as `check`, and as `submission`.
        """
        self.check(data)
        answers = table_of(data).column(self.answers).to_pylist()
        return {name: answer_texts(answer) for name, answer in zip(_question_ids(data), answers, strict=True)}

    def signature(self) -> Mapping[str, Any]:
        """Return the label space: two numbers for each token."""
        return {"head": "span"}


def _question_ids(data: Dataset) -> list[str]:
    """Return the id of each question, from the column `id`."""
    names = read_strings(get_column(table_of(data), "id", "SpanHead"))
    if len(set(names)) < len(names):
        raise ColumnError("Answers are identified by the column 'id', but it holds an id twice; make ids unique.")
    return names
