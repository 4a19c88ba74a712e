"""Answers to questions: windows of long contexts, the best spans in them, and the answers ranked by score.

Offsets are code points of the context.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality.data.missing import filled_answers
from xquality.errors import ColumnError, LabelError
from xquality.heads.tokenisation import slices

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

Offsets = NDArray[np.int32]
TokenSpan = tuple[float, int, int]  # the sum of two logits, the first token, the last token


@final
@dataclass(frozen=True)
class PredictedAnswer:
    """One predicted answer to a question.

    Attributes:
        text: the part of the context from `start` on; empty for "there is no answer".
        start: its first code point; -1 for "there is no answer".
        score: the sum of the start's and the end's logit.
    """

    text: str
    start: int
    score: float


def first_span(answer: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the first answer of a row as (first code point, code point after the last); None if there is none.

    An answer whose text is null or blank is none.

    Example:
        >>> first_span({"text": ["", "Lima"], "answer_start": [0, 13]})
        (13, 17)
    """
    for text, start in filled_answers(answer):
        assert start is not None  # `check_answers` refuses others
        return int(start), int(start) + len(text)
    return None


def answer_texts(answer: Mapping[str, Any]) -> list[str]:
    """Return the texts of all answers of a row, without those that are null or blank."""
    return [text for text, _ in filled_answers(answer)]


def check_answers(contexts: Sequence[str], answers: pa.ChunkedArray, name: str, *, unanswerable: bool) -> None:
    """Raise if answers do not have SQuAD's form.

    Args:
        contexts: the text of each row.
        answers: `{text: [..], answer_start: [..]}` on each row.
        name: the answers' column.
        unanswerable: whether questions may have no answer.

    Raises:
        ColumnError: for a column of another kind.
        LabelError: for an answer that has no offset or is not found there, or a missing answer to a question that
            needs one.
    """
    names = {field.name for field in answers.type} if pa.types.is_struct(answers.type) else set()
    if not {"text", "answer_start"} <= names:
        raise ColumnError(f"SpanHead reads text and answer_start from {name!r}, but the column is {answers.type}.")
    if answers.null_count:
        row = pc.index(answers.is_null(), True).as_py()
        raise ColumnError(
            f"SpanHead reads text and answer_start on every row of {name!r}, but {answers.null_count} are null, the "
            f"first on row {row}; leave them out: data = data.filter(lambda row: row[{name!r}] is not None)."
        )
    for row, (context, answer) in enumerate(zip(contexts, answers.to_pylist(), strict=True)):
        if any(start is None for _, start in filled_answers(answer)):
            raise LabelError(f"An answer on row {row} has no offset in answer_start; find it in the context first.")
        span = first_span(answer)
        if span is None and not unanswerable:
            raise LabelError(
                f"The question on row {row} has no answer with a text; set unanswerable=True or filter such rows out."
            )
        if span is not None and context[span[0] : span[1]] != answer_texts(answer)[0]:
            raise LabelError(
                f"The answer {answer_texts(answer)[0]!r} on row {row} is not found at offset {span[0]} of its context; "
                "correct it or filter such rows out."
            )


def rank_answers(
    text: str, spans: Mapping[tuple[int, int], float], null: float, count: int, null_threshold: float | None
) -> list[PredictedAnswer]:
    """Return the answers to one question, best first; there is always one.

    Args:
        text: the context.
        spans: the score of each span of it.
        null: the score of "there is no answer".
        count: the most answers to return, besides "there is no answer".
        null_threshold: by how much `null` must exceed the score of the best span to come first; None if there always is
            an answer.

    Example:
        >>> ranked = rank_answers("in Lima", {(3, 7): 2.0, (0, 7): 1.0}, 5.0, 20, null_threshold=0.0)
        >>> [answer.text for answer in ranked]
        ['', 'Lima', 'in Lima']
    """
    best = sorted(spans.items(), key=lambda item: (-item[1], item[0]))[:count]
    answers = [PredictedAnswer(text[start:end], start, score) for (start, end), score in best]
    none = PredictedAnswer("", -1, null)
    if null_threshold is None:
        return answers or [none]
    if not answers or null - answers[0].score > null_threshold:
        return [none, *answers]
    return [answers[0], none, *answers[1:]]


@final
@dataclass(frozen=True)
class Window:
    """A part of a text in a row.

    Attributes:
        text: the whole text.
        start: the number of the window's first token in the row.
        offsets: the code points of each token of the window in the text, shape (tokens, 2).
    """

    text: str
    start: int
    offsets: Offsets

    def find(self, span: tuple[int, int]) -> tuple[int, int] | None:
        """Return the numbers in the row of a span's first and last token; None if the window does not hold all of it.

        Args:
            span: the first code point, and the one after the last.
        """
        first = int(np.searchsorted(self.offsets[:, 1], span[0], side="right"))  # the first token that ends after it
        last = int(np.searchsorted(self.offsets[:, 0], span[1], side="left")) - 1  # the last that begins before its end
        inside = len(self.offsets) and self.offsets[0, 0] <= span[0] and span[1] <= self.offsets[-1, 1]
        return (self.start + first, self.start + last) if inside and first <= last else None

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return the code points that the tokens from one number in the row to another cover."""
        return int(self.offsets[first - self.start, 0]), int(self.offsets[last - self.start, 1])


def tokens_with_offsets(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]
) -> Iterator[tuple[NDArray[np.int32], Offsets]]:
    """Yield the token ids of each text, without special tokens, and their code points, without white space."""
    for part in slices(len(texts)):
        tokens = tokenizer(list(texts[part]), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        for text, ids, offsets in zip(texts[part], tokens["input_ids"], tokens["offset_mapping"], strict=True):
            trimmed = np.array([_trim(text, start, end) for start, end in offsets], np.int32).reshape(-1, 2)
            yield np.asarray(ids, np.int32), trimmed


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def window_starts(tokens: int, room: int, stride: int) -> list[int]:
    """Return the first token of each window of a text.

    Args:
        tokens: the number of tokens of the text.
        room: the number of tokens of a window.
        stride: how far a window begins after the one before; at most half of the room, so that neighbours overlap.

    Example:
        >>> window_starts(10, room=4, stride=128), window_starts(3, room=4, stride=2)
        ([0, 2, 4, 6], [0])
    """
    step = max(1, min(stride, room // 2))
    return [0, *(start for start in range(step, tokens, step) if start - step + room < tokens)]


def best_spans(
    start_logits: "torch.Tensor", end_logits: "torch.Tensor", allowed: "torch.Tensor", longest: int, count: int
) -> list[list[TokenSpan]]:
    """Return the spans of each row with the highest sums of a start's and an end's logit, best first.

    Every span of at most `longest` tokens is compared, not only those of the best starts and ends.

    Args:
        start_logits: of each token, shape (rows, tokens).
        end_logits: of each token, shape (rows, tokens).
        allowed: which tokens may be part of a span, shape (rows, tokens); they are adjacent.
        longest: the most tokens of a span.
        count: the number of spans to return for each row, fewer if there are fewer.
    """
    import torch

    begin = start_logits.float().masked_fill(~allowed, -torch.inf)
    end = end_logits.float().masked_fill(~allowed, -torch.inf)
    width = min(longest, begin.shape[1])
    ends = torch.nn.functional.pad(end, (0, width - 1), value=-torch.inf).unfold(1, width, 1)
    sums = (begin[:, :, None] + ends).flatten(1)
    values, indices = sums.topk(min(count, sums.shape[1]), dim=1)
    spans = []
    for row_values, row_indices in zip(values.tolist(), indices.tolist(), strict=True):
        pairs = [(value, *divmod(index, width)) for value, index in zip(row_values, row_indices, strict=True)]
        spans.append([(value, first, first + length) for value, first, length in pairs if value > -torch.inf])
    return spans
